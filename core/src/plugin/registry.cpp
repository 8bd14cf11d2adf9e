#include "plugin/registry.hpp"

#include "plugin/plugin_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

PluginFile linked_file(const PluginNote& note, PluginKind kind) {
  return {.name = std::string(note_text(note.name)),
          .path = {},
          .version = std::string(note_text(note.version)),
          .summary = std::string(note_text(note.summary)),
          .kind = kind};
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
  return file.path.empty() ? "the built-in one" : file.path;
}

}  // namespace

Registry::Registry(std::vector<fs::path> folders, std::span<const PluginEntryFunction> linked,
                   std::span<const StoreEntryFunction> linked_stores)
    : folders_(std::move(folders)),
      linked_(linked.begin(), linked.end()),
      linked_stores_(linked_stores.begin(), linked_stores.end()) {}

const PluginEntry* Registry::find_linked(std::string_view name) const {
  for (const PluginEntryFunction function : linked_) {
    const PluginEntry* entry = function();
    if (note_text(entry->note->name) == name) return entry;
  }
  return nullptr;
}

std::vector<PluginFile> Registry::list() const {
  std::vector<PluginFile> found;
  for (const PluginEntryFunction function : linked_) {
    found.push_back(linked_file(*function()->note, PluginKind::command));
  }
  for (const StoreEntryFunction function : linked_stores_) {
    found.push_back(linked_file(*function()->note, PluginKind::store));
  }
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

std::optional<PluginFile> Registry::find_file(std::string_view name, PluginKind kind) const {
  if (!is_command_name(name)) return std::nullopt;
  for (const fs::path& folder : folders_) {
    const fs::path path = folder / (std::string(name) + ".so");
    std::error_code missing;
    if (!fs::exists(fs::symlink_status(path, missing))) continue;
    if (PluginFile file = inspect_plugin(path.string()); file.kind == kind) return file;
  }
  return std::nullopt;
}

std::optional<PluginFile> Registry::find(std::string_view name) const {
  if (const PluginEntry* entry = find_linked(name)) {
    return linked_file(*entry->note, PluginKind::command);
  }
  return find_file(name, PluginKind::command);
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

store::EngineFactory Registry::load_store(std::string_view scheme) const {
  // A `rediss:` URL is one of the engine that speaks TLS as well.
  const std::string_view name = scheme == "rediss" ? "redis" : scheme;
  for (const StoreEntryFunction function : linked_stores_) {
    if (note_text(function()->note->name) == name) return function()->make;
  }
  const std::optional<PluginFile> file = find_file(name, PluginKind::store);
  if (!file) {
    throw UsageError(
        fmt::format("there is no store '{}' (netkit plugins lists them)", escaped_text(scheme)));
  }
  if (!file->problem.empty()) throw PluginError("plugin " + file->path + " " + file->problem);
  return netkit::load_store(file->path);
}

}  // namespace netkit
