// A server's file of keys while it runs.
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

// [loop] Reads the file again at SIGHUP, which it says. A file that is of no use is said, too, and
// changes nothing.
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

// Gives other keys to a TCP server whose TLS has some, of TlsContext::server(): whose key is
// revoked is put out at once, also during the handshake. [loop]
NETKIT_API void replace_psk_keys(TcpServer& server, PskKeys keys);

// [loop] A PskFile of such a server, and of one without keys nothing at all.
class NETKIT_API TlsKeys {
 public:
  explicit TlsKeys(TcpServer& server);  // which outlives it

 private:
  std::optional<PskFile> file_;
};

}  // namespace netkit
