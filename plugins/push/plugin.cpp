// What `netkit push` offers.
#include <memory>
#include <push/actions.hpp>
#include <push/serve_command.hpp>
#include <push/status_command.hpp>
#include <push/subscribe_command.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace netkit::push {

class PushPlugin final : public Plugin {
 public:
  std::span<const ActionDef> actions() const override { return actions_; }

  std::unique_ptr<Command> create(std::string_view action) override {
    if (action == "serve") return std::make_unique<ServeCommand>();
    if (action == "subscribe") return std::make_unique<SubscribeCommand>();
    if (action == "status") return std::make_unique<StatusCommand>();
    throw PluginError("push has no action '" + std::string(action) + "'");
  }

 private:
  std::vector<ActionDef> actions_ = make_actions();
};

}  // namespace netkit::push

NETKIT_PLUGIN(push, "subscribers register by name, a server pushes data to all of them by UDP",
              netkit::push::PushPlugin)
