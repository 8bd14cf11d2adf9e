// What CMake makes of other files of the tree.
#pragma once

#include <span>
#include <string_view>

#include <netkit/plugin/abi.hpp>
#include <netkit/plugin/store_plugin.hpp>

namespace netkit {

struct TemplateFile {
  std::string_view path;  // below the plugin's folder; holds placeholders like the content
  std::string_view content;
};

// Placeholders are the words `skeleton`, `Skeleton` and `SKELETON`, and `@DATE@`. Static storage.
std::span<const TemplateFile> plugin_template();

extern const char kBashCompletion[];
extern const char kZshCompletion[];
extern const char kFishCompletion[];

// One explicit list, generated from NETKIT_COMMANDS where NETKIT_STATIC_PLUGINS is on.
std::span<const PluginEntryFunction> linked_plugins();
// The same of the stores, from NETKIT_STORES.
std::span<const StoreEntryFunction> linked_stores();

}  // namespace netkit
