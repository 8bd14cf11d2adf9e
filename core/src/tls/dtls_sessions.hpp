// Sessions of DTLS that a handshake can resume, without another key exchange.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <openssl/ssl.h>

#include <netkit/tls/psk.hpp>

namespace netkit::tls {

struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionFree>;

// The latest of each identity. [one thread]
class DtlsSessions {
 public:
  struct Kept {
    std::string identity;
    PskKey key;  // that the session was proved by
    SessionPtr session;
  };

  // One that has just been agreed on. Forgets the one that `identity` had before.
  void keep(const std::string& identity, const PskKey& key, SessionPtr session);
  // Null: there is none of this id, of this identity by this key.
  const Kept* find(std::string_view id) const;
  const Kept* find(const PskIdentity& of) const;

 private:
  std::unordered_map<std::string, Kept> by_id_;
  std::map<std::string, std::string, std::less<>> ids_;  // by identity
};

}  // namespace netkit::tls
