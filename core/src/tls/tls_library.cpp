#include "tls/tls_library.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

std::string library_path() {
  Dl_info core{};
  ::dladdr(kTlsLibraryEntry, &core);
  return std::filesystem::path(core.dli_fname).parent_path() / "netkit" / "tls.so";
}

// libssl and libcrypto come with it, so it is loaded when the first context is made, and stays.
const TlsLibrary& library() {
  static const TlsLibrary* const loaded = [] {
    const std::string path = library_path();
    void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* const entry = handle == nullptr ? nullptr : ::dlsym(handle, kTlsLibraryEntry);
    if (entry == nullptr) {
      throw Error(ExitStatus::fault, fmt::format("TLS cannot be loaded: {}", ::dlerror()));
    }
    return reinterpret_cast<TlsLibraryEntry>(entry)();
  }();
  return *loaded;
}

}  // namespace

std::shared_ptr<TlsContext> TlsContext::client(const TlsClientOptions& options) {
  return library().client(options);
}

std::shared_ptr<TlsContext> TlsContext::server(const TlsServerOptions& options) {
  return library().server(options);
}

}  // namespace netkit
