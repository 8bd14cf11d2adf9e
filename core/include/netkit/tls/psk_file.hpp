// The key file of a running server.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/tls/psk.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// [loop] Rereads the file on SIGHUP and reports that. An invalid file is reported, and changes
// nothing.
class NETKIT_API PskFile {
 public:
  using Take = std::function<void(PskKeys keys)>;
  // `log` and `loop` outlive it.
  PskFile(EventLoop& loop, const Log& log, std::string path, Take take);

 private:
  void read();

  const Log& log_;
  std::string path_;
  Take take_;
  Hook hung_up_;
};

// Replaces the keys of a TCP server whose TLS, from TlsContext::server(), uses keys: clients whose
// key is revoked are disconnected at once, also during the handshake. [loop]
NETKIT_API void replace_psk_keys(TcpServer& server, PskKeys keys);

// [loop] A PskFile for such a server; does nothing for one without keys.
class NETKIT_API TlsKeys {
 public:
  explicit TlsKeys(TcpServer& server);  // which outlives it

 private:
  std::optional<PskFile> file_;
};

}  // namespace netkit
