#include "plugin/registry.hpp"

#include "plugin/plugin_file.hpp"

#include <algorithm>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

PluginFile linked_file(const PluginEntry& entry) {
  return {.name = std::string(note_text(entry.note->name)),
          .path = {},
          .version = std::string(note_text(entry.note->version)),
          .summary = std::string(note_text(entry.note->summary))};
}

std::vector<fs::path> shared_objects(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".so") files.push_back(entry->path());
  }
  std::ranges::sort(files);
  return files;
}

std::string place(const PluginFile& file) {
  return file.path.empty() ? "the one linked in" : file.path;
}

}  // namespace

Registry::Registry(std::vector<fs::path> folders, std::span<const PluginEntryFunction> linked)
    : folders_(std::move(folders)), linked_(linked.begin(), linked.end()) {}

const PluginEntry* Registry::find_linked(std::string_view name) const {
  for (const PluginEntryFunction function : linked_) {
    const PluginEntry* entry = function();
    if (note_text(entry->note->name) == name) return entry;
  }
  return nullptr;
}

std::vector<PluginFile> Registry::list() const {
  std::vector<PluginFile> found;
  for (const PluginEntryFunction function : linked_) found.push_back(linked_file(*function()));
  for (const fs::path& folder : folders_) {
    for (const fs::path& path : shared_objects(folder)) {
      PluginFile file = inspect_plugin(path.string());
      const auto first = std::ranges::find(found, file.name, &PluginFile::name);
      if (first != found.end() && file.problem.empty()) {
        file.problem = "is a duplicate of " + place(*first) + ", which comes first";
      }
      found.push_back(std::move(file));
    }
  }
  std::ranges::stable_sort(found, {}, &PluginFile::name);
  return found;
}

std::optional<PluginFile> Registry::find(std::string_view name) const {
  if (!is_command_name(name)) return std::nullopt;
  if (const PluginEntry* entry = find_linked(name)) return linked_file(*entry);
  for (const fs::path& folder : folders_) {
    const fs::path path = folder / (std::string(name) + ".so");
    std::error_code missing;
    if (fs::exists(fs::symlink_status(path, missing))) return inspect_plugin(path.string());
  }
  return std::nullopt;
}

PluginPtr Registry::load(std::string_view name) const {
  if (const PluginEntry* entry = find_linked(name)) {
    return create_plugin(entry, "plugin " + std::string(name));
  }
  const std::optional<PluginFile> file = find(name);
  if (!file) throw PluginError("there is no plugin " + std::string(name));
  if (!file->problem.empty()) throw PluginError("plugin " + file->path + " " + file->problem);
  return load_plugin(file->path);
}

}  // namespace netkit
