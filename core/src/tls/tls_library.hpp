// What core uses from its library for TLS, netkit/tls.so beside libnetkit-core.so.
#pragma once

#include <memory>

#include <netkit/tls/dtls.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct TlsLibrary {
  std::shared_ptr<TlsContext> (*client)(const TlsClientOptions& options);
  std::shared_ptr<TlsContext> (*server)(const TlsServerOptions& options);
  std::shared_ptr<DtlsContext> (*dtls)();
};

namespace tls {
std::shared_ptr<DtlsContext> make_dtls_context();  // within the library
}

// The file that SSLKEYLOGFILE names; null: none. Any thread as long as none changes the
// environment.
NETKIT_API const char* key_log_path();

// The type and the name of its entry symbol.
using TlsLibraryEntry = const TlsLibrary* (*)();
inline constexpr char kTlsLibraryEntry[] = "netkit_tls_library";

}  // namespace netkit
