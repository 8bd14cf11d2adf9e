#include "tls/tls_library.hpp"

#include "util/core_library.hpp"

#include <cstdlib>

#include <netkit/util/file.hpp>

namespace netkit {
namespace {

// libssl and libcrypto come with it, so it is loaded when the first context is made, and stays.
const TlsLibrary& library() {
  static const TlsLibrary* const loaded =
      reinterpret_cast<TlsLibraryEntry>(core_library_symbol("tls", kTlsLibraryEntry))();
  return *loaded;
}

}  // namespace

std::shared_ptr<TlsContext> TlsContext::client(const TlsClientOptions& options) {
  return library().client(options);
}

std::shared_ptr<TlsContext> TlsContext::server(const TlsServerOptions& options) {
  return library().server(options);
}

const char* key_log_path() {
  const char* const path = std::getenv("SSLKEYLOGFILE");
  return path == nullptr || path[0] == '\0' ? nullptr : path;
}

void make_key_log_file() {
  const char* const path = key_log_path();
  AppendFile file;
  if (path != nullptr)
    static_cast<void>(file.open(path));  // whoever writes it reports what is wrong
}

std::shared_ptr<DtlsContext> DtlsContext::make() {
  return library().dtls();
}

}  // namespace netkit
