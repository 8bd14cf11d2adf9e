// The server's side of encryption: the layer between its sockets and the native protocol and the
// plain dialect, with keys and without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/options.hpp>
#include <netkit/tls/psk.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// What happened; never reset.
struct PrivateCounters {
  std::uint64_t handshakes = 0;     // that proved an identity
  std::uint64_t resumed = 0;        // of these, that resumed an earlier one
  std::uint64_t refused = 0;        // peers with no key or a wrong one
  std::uint64_t not_authentic = 0;  // records that were forged, damaged or duplicates
};

// With keys, every native peer has to complete a DTLS 1.2 handshake (netkit-protocol(7), PRIVATE):
// what it sends reaches `inner` decrypted, with its Path::owner, and what `inner` sends to that
// owner at that address leaves encrypted. Peers in clear text are told so, once for each of their
// datagrams that deserves an answer. No state is kept of peers that have not returned a cookie, and
// no unauthenticated peer gets more bytes than it sent. Without keys everything passes except
// handshakes, which are answered so that the other side knows. Pure. [one thread]
class NETKIT_API PrivateServer final : public Driver::Handler {
 public:
  // Called from within on_datagram(), tick() and set_keys().
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // `peer` is refused, for the reason `why`: "there is no key of 'bob'". Called for each.
    virtual void on_refused(const Endpoint& peer, std::string_view why) = 0;
    // The key of `owner` was revoked: close its sessions, with a reason that still reaches it.
    virtual void on_revoked(std::uint32_t owner) = 0;
  };

  struct Options {
    std::optional<PskKeys> keys{};  // none: in clear
    bool plain = true;              // peers of the plain dialect may come, too
    Duration handshake_timeout = std::chrono::seconds(10);
    Duration idle = std::chrono::seconds(60);  // silence after which a peer is forgotten
    std::size_t max_peers = 65536;
    std::size_t max_handshakes = 2048;  // at once; each has some 60 KiB
    std::size_t max_replies = 4096;     // answers to strangers waiting for one drain()
    std::size_t stray_rate = 10000;     // a second, of answers to records of unknown sessions
  };

  // `inner` and `handler` must outlive it. Throws Error where DTLS cannot be loaded.
  PrivateServer(Options options, const Random& random, Driver::Handler& inner, Handler& handler);
  ~PrivateServer() override;
  PrivateServer(const PrivateServer&) = delete;
  PrivateServer& operator=(const PrivateServer&) = delete;

  // Replaces the keys of a server that has some. Peers whose key is not among the new ones are
  // revoked.
  void set_keys(PskKeys keys);
  // The identity of an owner; empty for 0. Valid as long as the server.
  const std::string& identity(std::uint32_t owner) const;
  bool has_keys() const;
  bool is_identity(std::string_view name) const;  // there is a key of it
  std::size_t peers() const;                      // that are known, in a handshake or after it
  const PrivateCounters& counters() const;

  void on_datagram(const Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint now) override;
  TimePoint next_deadline() const override;
  bool drain(OutputQueue& queue, TimePoint now) override;
  void on_refused(const Endpoint& to, int error) override;
  void on_unreachable(const Endpoint& to) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit::datagram
