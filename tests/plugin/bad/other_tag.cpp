#include "bad_plugin.hpp"

BAD_NOTE(netkit::kPluginAbi, "9.9.9 gcc-99 cxx11", "other_tag");
