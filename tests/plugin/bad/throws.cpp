#include "bad_plugin.hpp"

#include <stdexcept>

namespace {
std::vector<netkit::ActionDef> make_actions() {
  throw std::runtime_error("no licence for this machine");
}
}  // namespace

NETKIT_PLUGIN(throws, "cannot be created", make_actions)
