// What `netkit echo` offers.
#include <echo/actions.hpp>
#include <echo/bench_command.hpp>
#include <echo/ping_command.hpp>
#include <echo/send_command.hpp>
#include <echo/serve_command.hpp>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

class EchoPlugin final : public Plugin {
 public:
  std::span<const ActionDef> actions() const override { return actions_; }

  std::unique_ptr<Command> create(std::string_view action) override {
    if (action == "serve") return std::make_unique<ServeCommand>();
    if (action == "send") return std::make_unique<SendCommand>();
    if (action == "ping") return std::make_unique<PingCommand>();
    if (action == "bench") return std::make_unique<BenchCommand>();
    throw PluginError("echo has no action '" + std::string(action) + "'");
  }

 private:
  std::vector<ActionDef> actions_ = make_actions();
};

}  // namespace netkit::echo

NETKIT_PLUGIN(echo, "UDP and TCP echo server; a client that sends, pings and load-tests",
              netkit::echo::EchoPlugin)
