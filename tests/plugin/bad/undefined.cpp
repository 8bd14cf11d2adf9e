// Calls what nobody defines.
#include "bad_plugin.hpp"

extern "C" void nobody_defines_this();

namespace {
std::vector<netkit::ActionDef> make_actions() {
  nobody_defines_this();
  return {};
}
}  // namespace

NETKIT_PLUGIN(undefined, "misses a function", make_actions)
