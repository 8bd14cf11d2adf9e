// The version of netkit. CMakeLists.txt reads it from here.
#pragma once

#define NETKIT_VERSION "0.1.0"
