// What a PrivateServer answers to peers that have proved nothing. No state is kept of them, and no
// answer is longer than the datagram it answers.
#pragma once

#include "datagram/dtls_wire.hpp"
#include "datagram/strangers.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <netkit/datagram/output_queue.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::datagram {

// [one thread]
class PrivateStrangers {
 public:
  // Answers go to `replies` while there are fewer than `most` in it; at most `rate` a second are of
  // records of unknown sessions.
  PrivateStrangers(OutputQueue& replies, std::size_t most, std::size_t rate, const Random& random);

  // Whether a ClientHello has a cookie that proves its sender's address. If not, the sender is sent
  // one.
  bool is_there(const Path& from, std::string_view datagram, const ClientHello& hello,
                TimePoint now);
  void has_no_keys(const Path& from, std::string_view datagram, const ClientHello& hello);
  // Tell a peer of the plain dialect, or one that begins a session in clear text, that a key is
  // required.
  void needs_key_for_text(const Path& from, std::string_view datagram, TimePoint now);
  void needs_key(const Path& from, std::string_view hello);
  // Records of an unknown session are answered so that a client whose address has changed, or whose
  // server was restarted, need not wait.
  void is_unknown(const Path& from, std::string_view datagram, const DtlsRecord& first,
                  TimePoint now);

 private:
  void answer(const Path& to, std::string_view asked, std::string_view datagram);

  OutputQueue& replies_;
  std::size_t most_;
  CookieJar cookies_;
  RateLimit strays_;
  SourceRateLimiter plain_answers_;
  std::string scratch_;
};

}  // namespace netkit::datagram
