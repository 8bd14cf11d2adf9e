// Declares an option whose default is not of its kind.
#include "bad_plugin.hpp"

namespace {
std::vector<netkit::ActionDef> make_actions() {
  return {{.name = "run",
           .summary = "runs",
           .options = {{.name = "pace",
                        .kind = netkit::ValueKind::duration,
                        .default_value = "soon",
                        .help = "how fast"}}}};
}
}  // namespace

NETKIT_PLUGIN(misdeclared, "declares nonsense", make_actions)
