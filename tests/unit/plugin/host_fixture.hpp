// A host run in a child process, with an action and options that the test chooses.
#pragma once

#include "plugin/host_impl.hpp"
#include "support/child_run.hpp"
#include "support/record_builder.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace netkit::test {

using Options = std::map<std::string, std::string>;

// All that the command line declares for every action, none of it given.
inline Values host_values(const Options& given, const std::vector<std::string>& to = {}) {
  std::map<std::string, Values::Value, std::less<>> values;
  for (const char* name :
       {"json", "raw", "template", "to", "color", "quiet", "verbose", "stats", "timeout", "from",
        "every", "message", "max-line", "ready-fd", "metrics", "keep-open"}) {
    values[name] = {};
  }
  values["color"] = {{"auto"}, Values::Origin::default_value, {}};
  for (const auto& [name, text] : given) {
    values[name] = {{text}, Values::Origin::command_line, {}};
    if (text.empty()) values[name].texts.clear();
  }
  if (!to.empty()) values["to"] = {to, Values::Origin::command_line, {}};
  return {std::move(values), {}};
}

class LambdaCommand final : public Command {
 public:
  explicit LambdaCommand(std::function<ExitStatus(Host&)> body) : body_(std::move(body)) {}
  void configure(const Values& /*values*/) override {}
  ExitStatus run(Host& host) override { return body_(host); }

 private:
  std::function<ExitStatus(Host&)> body_;
};

inline ActionDef test_action(Lifetime lifetime = Lifetime::bounded) {
  ActionDef action;
  action.name = "serve";
  action.lifetime = lifetime;
  action.until_told_by = {"keep-open"};
  action.quiet_hides_records = lifetime == Lifetime::until_told;
  RecordDef message{"message", "a message", {{"name", "who"}}};
  RecordDef datagram{"datagram", "a datagram"};
  datagram.layout = "{peer} {text}";
  action.records = {message, datagram};
  action.totals = {{"received", "what came"}, {"loss", "what did not", kGauge}, {"x", "a number"}};
  return action;
}

// What main does.
inline int host_main(const ActionDef& action, const Values& values,
                     const std::function<ExitStatus(Host&)>& body) {
  int signo = 0;
  int status = 0;
  {
    const SystemClock clock;
    LambdaCommand command(body);
    HostImpl host("echo", action, values, clock);
    try {
      status = host.run(command);
    } catch (const Error& error) {
      status = host.report_error(error);
    }
    signo = host.fatal_signal();
  }
  if (signo != 0) end_by_signal(signo);
  return status;
}

struct HostSetup {
  Options options{};
  std::vector<std::string> to{};
  Lifetime lifetime = Lifetime::bounded;
};

inline ChildRun run_host(const std::function<ExitStatus(Host&)>& body,
                         const HostSetup& setup = HostSetup()) {
  return ChildRun([&] {
    return host_main(test_action(setup.lifetime), host_values(setup.options, setup.to), body);
  });
}

inline void emit(Host& host, std::string_view text) {
  host.output().emit(RecordBuilder("message").payload(text).record());
}

inline void count_three(Totals& totals) {
  totals.add("received", std::uint64_t{3});
  totals.add("loss", 0.25);
}

}  // namespace netkit::test
