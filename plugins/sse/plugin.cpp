// What `netkit sse` offers.
#include <memory>
#include <sse/actions.hpp>
#include <sse/read_command.hpp>
#include <sse/serve_command.hpp>
#include <string>
#include <string_view>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace netkit::sse {

class SsePlugin final : public Plugin {
 public:
  std::span<const ActionDef> actions() const override { return actions_; }

  std::unique_ptr<Command> create(std::string_view action) override {
    if (action == "read") return std::make_unique<ReadCommand>();
    if (action == "serve") return std::make_unique<ServeCommand>();
    throw PluginError("sse has no action '" + std::string(action) + "'");
  }

 private:
  std::vector<ActionDef> actions_ = make_actions();
};

}  // namespace netkit::sse

NETKIT_PLUGIN(sse, "a Server-Sent-Events client that reconnects, and a small server",
              netkit::sse::SsePlugin)
