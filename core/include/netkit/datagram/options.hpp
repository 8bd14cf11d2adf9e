// Limits, timers and counters of the native datagram protocol (netkit-protocol(7)).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

inline constexpr unsigned char kMagic = 0xF5;      // no UTF-8 text contains it
inline constexpr std::size_t kMaxDatagram = 1200;  // bytes
// Bytes that encryption (PrivateServer, PrivateClient) adds to a datagram: what a session sends is
// that much shorter.
inline constexpr std::size_t kPrivateOverhead = 29;
inline constexpr std::size_t kMaxPayload = 1024;  // bytes of the application's in CONNECT, ACCEPT
inline constexpr std::size_t kMaxReason = 255;    // bytes of text in REJECT, BYE and END

// Whether a datagram is of the native protocol; the others are of an application's plain dialect.
inline bool is_native(std::string_view datagram) {
  return !datagram.empty() && static_cast<unsigned char>(datagram[0]) == kMagic;
}

// What a session does when more than `keep` records wait for it to be sent.
enum class Overflow : std::uint8_t {
  skip_oldest,  // the oldest waiting are dropped, and the receiver is told their numbers
  keep_all,     // nothing is dropped: the owner of the session asks Server::full_sessions() or
                // Client::can_send() before it takes more from its source
};

struct NETKIT_API Options {
  // UDP payload of one datagram, headers included; where it is encrypted, less kPrivateOverhead. At
  // least 256, at most 1200.
  std::size_t max_datagram = 1200;
  std::size_t max_message = 65536;  // bytes of one message, sent or reassembled

  std::size_t keep = 1000;             // records waiting per session, beyond those that can go out
  std::size_t keep_bytes = 16u << 20;  // bytes waiting per session
  Overflow overflow = Overflow::skip_oldest;
  // A session counts as full when half of them are waiting: if a driver then pauses its source, and
  // passes at most the other half at once, nothing is dropped.
  bool full_at_half = false;

  // Bytes that all sessions together may hold of data that came out of order and of incomplete
  // messages: beyond it such datagrams are not accepted, and come again, and such messages are
  // lost.
  std::size_t max_held = 256u << 20;
  // Bytes that may wait for single sessions, of all sessions together: beyond it the session that
  // more is added to drops its oldest (Overflow::skip_oldest). A part for several sessions is
  // charged to each of them by its share.
  std::size_t max_queued = 256u << 20;

  // Datagrams held for reordering or while paused; to 4096. Several times max_window, as what is
  // lost twice or more holds up what came after it.
  std::uint16_t receive_window = 4096;
  // The most datagrams in flight on a path that is shared with others; how many there are is
  // decided by the CongestionController.
  std::uint16_t max_window = 960;
  // The same within this machine, where only the receiver has to keep up.
  std::uint16_t max_in_flight = 128;     // datagrams sent and not acknowledged; to 1024
  std::uint16_t initial_in_flight = 32;  // how many before the first acknowledgement
  std::uint16_t min_in_flight = 16;      // however many are lost

  // RFC 6298 with these bounds. The upper one is below what the RFC wants: after an outage the
  // stream continues within max_rto, at the cost of a datagram or two per max_rto while it lasts.
  Duration initial_rto = std::chrono::milliseconds(250);
  Duration min_rto = std::chrono::milliseconds(50);
  Duration max_rto = std::chrono::seconds(1);

  // A HELLO or CONNECT without an answer is sent again after initial_rto, then at this interval. If
  // the interval grew to max_rto, one client in 700 would have no session after ten seconds at a
  // loss of 30 % in each direction; this way it is one in 120,000. An unanswered heartbeat is
  // repeated at least as often, for the same reason: a bad line must not look like a dead peer.
  Duration handshake_pause = std::chrono::milliseconds(500);

  Duration ack_delay = std::chrono::milliseconds(10);  // how long an acknowledgement may wait
  std::uint16_t ack_every = 16;                        // but not for more datagrams than this

  // Silence after which the other side is dropped. The server's value applies to both: ACCEPT
  // contains it.
  Duration lease = std::chrono::seconds(30);
  // How often an idle client asks for a sign of life; never less often than lease / 3.
  Duration heartbeat = std::chrono::seconds(5);
  // After END: silence after which the other side is no longer waited for.
  Duration linger = std::chrono::seconds(3);
  // How long a client tries to connect, and how long a server waits for the first sign of life of a
  // session it accepted (no longer than the lease).
  Duration connect_timeout = std::chrono::seconds(10);

  Duration cookie_lifetime = std::chrono::seconds(10);  // a cookie is good for one to two of these
  std::size_t max_sessions = 65536;
  std::size_t max_replies = 4096;     // answers outside of sessions waiting for one drain()
  std::size_t stray_rate = 10000;     // RESET and VERSION answers a second
  std::size_t remember_ended = 1024;  // sessions remembered after their end, for late duplicates

  // The same options, with values that the protocol cannot carry limited to its range; the
  // endpoints do so themselves.
  Options within_limits() const;
  std::size_t max_body() const;  // what a datagram of max_datagram bytes has room for
};

// Everything that happened, for statistics; never reset. One set per endpoint.
struct Counters {
  std::uint64_t datagrams_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t messages_acked = 0;  // sent and known to be delivered
  std::uint64_t retransmitted = 0;   // datagrams
  std::uint64_t duplicates = 0;      // datagrams received again
  std::uint64_t timeouts = 0;        // expiries of the retransmission timer
  std::uint64_t dropped = 0;         // messages dropped by Options::keep or keep_bytes
  std::uint64_t lost = 0;       // messages reported lost by the other side or by a jump in numbers
  std::uint64_t stale = 0;      // numbered messages below what was expected, ignored
  std::uint64_t held = 0;       // bytes that are held now (Options::max_held)
  std::uint64_t queued = 0;     // bytes that wait now, as Options::max_queued counts them
  std::uint64_t no_memory = 0;  // datagrams and messages dropped at either limit
  std::uint64_t out_of_window = 0;    // datagrams beyond Options::receive_window
  std::uint64_t malformed = 0;        // datagrams that are not what their type says
  std::uint64_t too_long = 0;         // messages over Options::max_message
  std::uint64_t unknown_session = 0;  // datagrams of a session or from an address not known
  std::uint64_t bad_version = 0;
  std::uint64_t cookies_sent = 0;
  std::uint64_t bad_cookies = 0;  // CONNECTs whose cookie was wrong or too old
  std::uint64_t replayed = 0;     // CONNECTs of a session that had ended
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;         // by the application
  std::uint64_t full = 0;             // by Options::max_sessions
  std::uint64_t replies_dropped = 0;  // by Options::max_replies or stray_rate
  std::uint64_t expired = 0;          // sessions that ended by their lease
};

// Why a session is over.
enum class LeftReason : std::uint8_t {
  ended,      // the other side sent END: everything it sent has arrived
  bye,        // the other side sent BYE
  finished,   // our finish(): the other side has acknowledged everything, END too
  lease,      // not heard from for the lease
  reset,      // the other side does not know the session: it was restarted
  timeout,    // connect_timeout passed before the session began
  version,    // the server speaks other versions of the protocol
  stranger,   // what answers does not speak the protocol at all
  evicted,    // the other side sent BYE: removed, may come back
  forbidden,  // the other side sent BYE: not allowed
};
NETKIT_API std::string_view to_string(LeftReason reason);  // the enumerator's name

// Codes of REJECT. Applications number their own from 16 on.
enum class RejectCode : std::uint16_t { full = 1, taken = 2, bad_request = 3, forbidden = 4 };

// Codes of BYE.
enum class ByeCode : std::uint8_t { bye = 0, evicted = 1, forbidden = 2 };

// A run of messages that will never come. Numbered ones by their numbers, inclusive (0, 0: none);
// of messages without a number only how many.
struct Gap {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t unnumbered = 0;
  friend bool operator==(const Gap&, const Gap&) = default;
};

// The path that a session takes, in the direction of what it sends.
struct PathStatus {
  Duration rtt{};                   // round trip, smoothed; 0 while unknown
  std::size_t window = 0;           // datagrams that may be on their way
  double rate = 0;                  // datagrams a second that it delivers; 0: not known
  std::uint64_t retransmitted = 0;  // datagrams that were taken for lost
};

// The state of one session, for a roster.
struct SessionStatus {
  std::uint64_t delivered = 0;  // messages that the other side acknowledged
  std::uint64_t dropped = 0;    // messages dropped by `keep`
  std::size_t queued = 0;       // messages waiting to be sent
  std::size_t lag = 0;          // messages waiting or not yet acknowledged
  bool blocked = false;         // what waits cannot go out: window full or peer silent
  PathStatus path;
};

// Unpredictable 64-bit numbers; for session ids, first sequence numbers, nonces and secrets.
using Random = std::function<std::uint64_t()>;
NETKIT_API Random system_random();  // random_number()

}  // namespace netkit::datagram
