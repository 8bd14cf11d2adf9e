// Calls what nobody defines.
#include "bad_plugin.hpp"

extern "C" void nobody_defines_this();

namespace {
struct Caller : bad::EmptyPlugin {
  Caller() { nobody_defines_this(); }
};
}  // namespace

NETKIT_PLUGIN(undefined, "misses a function", Caller)
