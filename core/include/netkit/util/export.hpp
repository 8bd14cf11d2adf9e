// Symbols of libnetkit-core.so are hidden unless they are marked with NETKIT_API.
#pragma once

#define NETKIT_API __attribute__((visibility("default")))
