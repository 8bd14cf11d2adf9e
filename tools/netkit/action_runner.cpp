#include "action_runner.hpp"

#include "plugin/host_impl.hpp"
#include "plugin/stop_signals.hpp"

#include <memory>

#include <fmt/format.h>

#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

std::unique_ptr<Command> make_command(const ActionDef& action, const Values& values) {
  std::unique_ptr<Command> command = action.make == nullptr ? nullptr : action.make();
  if (command == nullptr) {
    throw PluginError(fmt::format("the plugin makes no action '{}'", action.name));
  }
  command->configure(values);
  return command;
}

}  // namespace

int run_action(App& app, const std::string& command, Plugin& plugin, const ActionDef& action,
               std::span<const std::string> words) {
  const Values values = parse(action, words, app.parse_context(command, plugin.actions()));
  const SystemClock clock;
  int status = 0;
  int signo = 0;
  {
    // The command's registrations are on the host's loop, so it goes first.
    HostImpl host(command, action, values, clock);
    const std::unique_ptr<Command> work = make_command(action, values);
    try {
      status = host.run(*work);
    } catch (const Error& error) {
      status = host.report_error(error);
    }
    signo = host.fatal_signal();
  }
  if (signo != 0) end_by_signal(signo);
  return status;
}

}  // namespace netkit
