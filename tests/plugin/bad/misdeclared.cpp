// Declares an option whose default is not of its kind.
#include "bad_plugin.hpp"

#include <vector>

namespace {
class Misdeclared : public bad::EmptyPlugin {
 public:
  std::span<const netkit::ActionDef> actions() const override { return actions_; }

 private:
  std::vector<netkit::ActionDef> actions_{{.name = "run",
                                           .summary = "runs",
                                           .options = {{.name = "pace",
                                                        .kind = netkit::ValueKind::duration,
                                                        .default_value = "soon",
                                                        .help = "how fast"}}}};
};
}  // namespace

NETKIT_PLUGIN(misdeclared, "declares nonsense", Misdeclared)
