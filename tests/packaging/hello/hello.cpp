// A plugin of a third party: greets, for tests of what a plugin can rely on.
#include <cstdint>
#include <string>
#include <vector>

#include <netkit/plugin/plugin.hpp>

namespace hello {
namespace {

class Greet final : public netkit::Command {
 public:
  void configure(const netkit::Values& values) override {
    name_ = values.text("NAME");
    times_ = values.integer("times");
  }

  netkit::ExitStatus run(netkit::Host& host) override {
    const std::string text = "hello " + name_;
    for (std::int64_t i = 0; i < times_; ++i) {
      netkit::Record record;
      record.type = "greeting";
      record.time = host.clock().wall();
      record.payload = text;
      host.output().emit(record);
    }
    host.finish(netkit::ExitStatus::done);
    return host.run_loop();
  }

 private:
  std::string name_;
  std::int64_t times_ = 1;
};

std::vector<netkit::ActionDef> make_actions() {
  netkit::ActionDef greet;
  greet.name = "greet";
  greet.summary = "greet somebody";
  greet.description = "Prints a greeting.";
  greet.arguments = {{.name = "NAME", .default_value = "world", .optional = true, .help = "whom"}};
  greet.common = netkit::kOutputOptions;
  greet.options = {{.name = "times",
                    .letter = 'n',
                    .kind = netkit::ValueKind::integer,
                    .default_value = "1",
                    .help = "greet N times",
                    .min = 1,
                    .max = 100},
                   {.name = "tone",
                    .kind = netkit::ValueKind::choice,
                    .default_value = "warm",
                    .help = "how",
                    .choices = {"warm", "cold"}}};
  greet.records = {{.type = "greeting", .help = "one a greeting"}};
  greet.examples = {{"netkit hello greet ann", "greets ann"}};
  greet.make = netkit::new_command<Greet>;
  return {greet};
}

}  // namespace
}  // namespace hello

NETKIT_PLUGIN(hello, "greets, to test the plugin kit", hello::make_actions)
