#include "bad_plugin.hpp"

BAD_NOTE(netkit::kPluginAbi, NETKIT_BUILD_TAG, "no_entry");
