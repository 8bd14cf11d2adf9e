// A part of a plugin in a shared object of its own, which is loaded when it is first needed: for an
// action whose libraries take longer to load than everything else together.
#pragma once

#include <memory>
#include <string_view>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// What NETKIT_PLUGIN_PART(name, …) makes, from `parts/NAME.so` in the folder of the plugin that
// `inside`, the address of one of its functions, is in. The file and its folder are checked as a
// plugin's are; it stays loaded. Throws PluginError. [loop thread]
NETKIT_API std::unique_ptr<Command> load_part(const void* inside, std::string_view name);

}  // namespace netkit

// At namespace scope, once, in a part's source: `Type` is the Command that it has.
#define NETKIT_PLUGIN_PART(name, Type)                          \
  extern "C" NETKIT_API netkit::Command* netkit_part_##name() { \
    return new Type;                                            \
  }
