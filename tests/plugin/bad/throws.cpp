#include "bad_plugin.hpp"

#include <stdexcept>

namespace {
struct Thrower : bad::EmptyPlugin {
  Thrower() { throw std::runtime_error("no licence for this machine"); }
};
}  // namespace

NETKIT_PLUGIN(throws, "cannot be created", Thrower)
