#include "bad_plugin.hpp"

BAD_NOTE(netkit::kPluginAbi + 1, NETKIT_BUILD_TAG, "other_abi");
