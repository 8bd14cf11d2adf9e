#include "util/core_library.hpp"

#include <dlfcn.h>
#include <filesystem>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {

void* core_library_symbol(const std::string& name, const char* symbol) {
  static constexpr char kHere = 0;
  Dl_info core{};
  ::dladdr(&kHere, &core);
  const std::filesystem::path path =
      std::filesystem::path(core.dli_fname).parent_path() / "netkit" / (name + ".so");
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const found = handle == nullptr ? nullptr : ::dlsym(handle, symbol);
  if (found == nullptr) {
    throw Error(ExitStatus::fault, fmt::format("{} cannot be loaded: {}", name, ::dlerror()));
  }
  return found;
}

}  // namespace netkit
