// What `netkit broadcast` offers.
#include <broadcast/actions.hpp>
#include <broadcast/listen_command.hpp>
#include <broadcast/send_command.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace netkit::broadcast {

class BroadcastPlugin final : public Plugin {
 public:
  std::span<const ActionDef> actions() const override { return actions_; }

  std::unique_ptr<Command> create(std::string_view action) override {
    if (action == "send") return std::make_unique<SendCommand>();
    if (action == "listen") return std::make_unique<ListenCommand>();
    throw PluginError("broadcast has no action '" + std::string(action) + "'");
  }

 private:
  std::vector<ActionDef> actions_ = make_actions();
};

}  // namespace netkit::broadcast

NETKIT_PLUGIN(broadcast, "say something to a whole network by UDP, and collect the answers",
              netkit::broadcast::BroadcastPlugin)
