// The plugin of `netkit frame`.
#include <array>
#include <frame/commands.hpp>

#include <netkit/util/error.hpp>

namespace netkit::frame {

namespace {

struct Action {
  ActionDef (*define)();
  std::unique_ptr<Command> (*make)();
};

constexpr std::array<Action, 6> kActions{{
    {serve_action, make_serve},
    {connect_action, make_connect},
    {proxy_action, make_proxy},
    {encode_action, make_encode},
    {decode_action, make_decode},
    {replay_action, make_replay},
}};

class FramePlugin final : public Plugin {
 public:
  FramePlugin() {
    for (const Action& action : kActions) definitions_.push_back(action.define());
  }

  std::span<const ActionDef> actions() const override { return definitions_; }

  std::unique_ptr<Command> create(std::string_view action) override {
    for (std::size_t i = 0; i < kActions.size(); ++i) {
      if (definitions_[i].name == action) return kActions[i].make();
    }
    throw PluginError("frame has no action '" + std::string(action) + "'");
  }

 private:
  std::vector<ActionDef> definitions_;
};

}  // namespace

}  // namespace netkit::frame

NETKIT_PLUGIN(frame, "long-lived framed TCP: client, server, proxy and codec",
              netkit::frame::FramePlugin)
