// Ends the process that loads it, politely.
#include "bad_plugin.hpp"

namespace {
[[gnu::constructor]] void leave() {
  ::_exit(0);
}
}  // namespace

NETKIT_PLUGIN(exits, "exits while it loads", bad::no_actions)
