#include "bad_plugin.hpp"

NETKIT_PLUGIN(somebody, "has another name inside", bad::no_actions)
