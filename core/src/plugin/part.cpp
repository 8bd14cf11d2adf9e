#include "plugin/plugin_file.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include <netkit/plugin/part.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

std::unique_ptr<Command> load_part(const void* inside, std::string_view name) {
  Dl_info plugin{};
  if (::dladdr(inside, &plugin) == 0) throw PluginError("is in no plugin that has parts");
  const std::string path =
      std::filesystem::path(plugin.dli_fname).parent_path() / "parts" / fmt::format("{}.so", name);
  if (const std::string problem = ownership_problem(path); !problem.empty()) {
    throw PluginError(fmt::format("plugin part {} {}", path, problem));
  }
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const entry =
      handle == nullptr ? nullptr : ::dlsym(handle, fmt::format("netkit_part_{}", name).c_str());
  if (entry == nullptr) {
    throw PluginError(fmt::format("plugin part {} cannot be loaded: {}", path, ::dlerror()));
  }
  return std::unique_ptr<Command>(reinterpret_cast<Command* (*)()>(entry)());
}

}  // namespace netkit
