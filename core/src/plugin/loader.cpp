#include "plugin/plugin_file.hpp"
#include "plugin/registry.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <string>

#include <Poco/Exception.h>
#include <Poco/SharedLibrary.h>
#include <fmt/format.h>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

// What dlerror() says, without the path that it may begin with.
std::string reason_of(const char* error, const std::string& path) {
  std::string reason = error == nullptr ? "unknown reason" : error;
  if (reason.starts_with(path + ": ")) reason.erase(0, path.size() + 2);
  return reason;
}

// A name without a slash would be looked for where the system's libraries are, and another file be
// loaded than the one that was judged.
std::string place_of(const std::string& path) {
  return path.find('/') == std::string::npos ? "./" + path : path;
}

// Poco binds lazily, so that a missing function would end the run at its first call. What is bound
// here stays bound: Poco's own opening then finds the object loaded.
void bind_now(const std::string& path) {
  const std::string place = place_of(path);
  if (::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    throw PluginError("plugin " + path + " cannot be loaded: " + reason_of(::dlerror(), place));
  }
}

// The entry symbol of a plugin, which does nothing but give the address of constant data.
template <typename Function>
auto entry_of(const std::string& path, const char* symbol) {
  bind_now(path);
  try {
    Poco::SharedLibrary library(place_of(path), Poco::SharedLibrary::SHLIB_LOCAL);
    if (!library.hasSymbol(symbol)) {
      throw PluginError("plugin " + path + " has no entry symbol; expected " + symbol);
    }
    return reinterpret_cast<Function>(library.getSymbol(symbol))();
  } catch (const Poco::Exception& error) {
    throw PluginError("plugin " + path + " cannot be loaded: " + error.displayText());
  }
}

PluginError of_another_abi(const std::string& what) {
  return PluginError(what + " has an entry of another ABI; expected " + std::to_string(kPluginAbi));
}

}  // namespace

PluginPtr load_plugin(const std::string& path) {
  return create_plugin(entry_of<PluginEntryFunction>(path, kPluginEntrySymbol), "plugin " + path);
}

store::EngineFactory load_store(const std::string& path) {
  const StoreEntry* const entry = entry_of<StoreEntryFunction>(path, kStoreEntrySymbol);
  if (entry == nullptr || entry->abi != kPluginAbi || entry->make == nullptr) {
    throw of_another_abi("plugin " + path);
  }
  return entry->make;
}

PluginPtr create_plugin(const PluginEntry* entry, const std::string& what) {
  if (entry == nullptr || entry->abi != kPluginAbi) throw of_another_abi(what);
  try {
    PluginPtr plugin(entry->create(), GiveBack{entry->destroy});
    if (plugin == nullptr) throw PluginError(what + " created no plugin");
    return plugin;
  } catch (const PluginError&) {
    throw;
  } catch (const std::exception& error) {
    throw PluginError(what + " failed to create itself: " + error.what());
  } catch (...) {
    throw PluginError(what + " failed to create itself");
  }
}

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
