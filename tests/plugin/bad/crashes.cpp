// Ends the process that loads it, by a signal.
#include "bad_plugin.hpp"

#include <csignal>

namespace {
[[gnu::constructor]] void crash() {
  std::signal(SIGSEGV, SIG_DFL);
  std::raise(SIGSEGV);
}
}  // namespace

NETKIT_PLUGIN(crashes, "crashes while it loads", bad::no_actions)
