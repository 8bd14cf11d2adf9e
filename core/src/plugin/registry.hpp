// The plugins there are. Only the one that is asked for is loaded.
#pragma once

#include "plugin/loader.hpp"
#include "plugin/plugin_file.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

// Looks at files when it is asked, and remembers nothing. [main thread]
class NETKIT_API Registry {
 public:
  // `linked` are the entries of plugins that are part of the executable; they win.
  Registry(std::vector<std::filesystem::path> folders, std::span<const PluginEntryFunction> linked);

  // All, by name; a file whose name an earlier folder has too comes after it, with "is a duplicate
  // of …" as its problem.
  std::vector<PluginFile> list() const;
  // The one that `name` stands for: the first folder's that has NAME.so, whatever is wrong with it.
  std::optional<PluginFile> find(std::string_view name) const;
  // Throws PluginError with the sentence of the check that failed.
  PluginPtr load(std::string_view name) const;

  const std::vector<std::filesystem::path>& folders() const { return folders_; }

 private:
  const PluginEntry* find_linked(std::string_view name) const;
  std::vector<std::filesystem::path> folders_;
  std::vector<PluginEntryFunction> linked_;
};

}  // namespace netkit
