// Loading a plugin whose file has passed every check that needs no code of it.
#pragma once

#include <memory>
#include <string>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Gives a plugin back to the shared object that made it. The shared object itself is never
// unloaded: what it registered (threads, destructors, string literals in declarations) may outlive
// its use.
struct GiveBack {
  void (*destroy)(Plugin*) = nullptr;
  void operator()(Plugin* plugin) const { destroy(plugin); }
};
using PluginPtr = std::unique_ptr<Plugin, GiveBack>;

// Loads the shared object with every symbol bound at once and none given to others, finds the entry
// symbol, creates the plugin. Throws PluginError "plugin PATH cannot be loaded: …". [main thread]
NETKIT_API PluginPtr load_plugin(const std::string& path);

// The same from the entry of one that is linked in; `what` names it in messages.
NETKIT_API PluginPtr create_plugin(const PluginEntry* entry, const std::string& what);

}  // namespace netkit
