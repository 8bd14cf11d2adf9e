// The plugins that are part of the executable; none in an ordinary build.
#pragma once

#include <span>

#include <netkit/plugin/abi.hpp>

namespace netkit {

// One explicit list, generated from NETKIT_COMMANDS where NETKIT_STATIC_PLUGINS is on.
std::span<const PluginEntryFunction> linked_plugins();

}  // namespace netkit
