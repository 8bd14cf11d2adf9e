// What `netkit chat` offers.
#include <chat/actions.hpp>
#include <chat/join_command.hpp>
#include <chat/peer_command.hpp>
#include <chat/serve_command.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace netkit::chat {

class ChatPlugin final : public Plugin {
 public:
  std::span<const ActionDef> actions() const override { return actions_; }

  std::unique_ptr<Command> create(std::string_view action) override {
    if (action == "serve") return std::make_unique<ServeCommand>();
    if (action == "join") return std::make_unique<JoinCommand>();
    if (action == "peer") return std::make_unique<PeerCommand>();
    throw PluginError("chat has no action '" + std::string(action) + "'");
  }

 private:
  std::vector<ActionDef> actions_ = make_actions();
};

}  // namespace netkit::chat

NETKIT_PLUGIN(chat, "UDP chat room: server, member, and a mode without a server",
              netkit::chat::ChatPlugin)
