// The TCP control channel (netkit-protocol(7), "push"): its lines, the roster, and the server. All
// but the server is pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <push/hub.hpp>
#include <string>
#include <string_view>

#include <netkit/net/tcp_server.hpp>

namespace netkit::push {

inline constexpr std::size_t kMaxControlLine = 512;  // bytes without the line's end

struct ControlLine {
  enum class Verb : std::uint8_t {
    subscribe,
    unsubscribe,
    push,
    list,
    status,
    quit,
    empty,
    wrong,
    http
  };
  Verb verb = Verb::wrong;
  // Of subscribe and unsubscribe; the topic of push, unchecked. Valid as the line is.
  std::string_view name;
  std::uint16_t port = 0;
  std::string_view error;  // of wrong, and of push without a length: what would be right
  std::size_t length = 0;  // of push: so many bytes follow the line
};

// `SUBSCRIBE NAME UDP-PORT`, `UNSUBSCRIBE NAME`, `PUSH TOPIC LENGTH` (`-`: the empty topic),
// `LIST`, `STATUS`, `QUIT`; verbs in any case. A name may hold spaces.
ControlLine parse_control(std::string_view line);

// `NAME ADDRESS` and a newline: a row of LIST. The name is escaped.
void append_list_row(std::string& out, const RosterRow& row);

// `ADDRESS plain|native AGE SENT LOST LAG NAME`, of a native one a tab and `RTT WINDOW RATE AGAIN`
// (milliseconds, datagrams, datagrams a second, datagrams), and a newline: a row of STATUS; AGE in
// seconds with three decimals; the name is escaped, a backslash too, so that it can be read again.
void append_status_row(std::string& out, const RosterRow& row);

// Reads a row of STATUS.
struct StatusRow {
  std::string name;  // as it is
  std::string_view address;
  std::string_view kind;
  double age_s = 0;
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  std::uint64_t lag = 0;
  datagram::PathStatus path{};  // of a native one
};
std::optional<StatusRow> parse_status_row(std::string_view line);

// Decides about records and subscriptions from connections. [loop]
class Publishing {
 public:
  virtual ~Publishing() = default;
  // The identity that the peer has proved by its key; empty: clear text.
  virtual std::string identity_of(const ByteStream& stream) const = 0;
  // Empty: the line is accepted; otherwise why not.
  virtual std::string why_closed(const Endpoint& peer, std::string_view identity) const = 0;
  // Empty: a record of this size is accepted from there; otherwise why not.
  virtual std::string why_refused(const Endpoint& peer, std::string_view identity,
                                  std::size_t length) = 0;
  // Called now or later, once: empty, the server has the record; else why not.
  using Answer = std::function<void(std::string_view error)>;
  virtual void publish(std::string_view topic, std::string_view text, Answer answer) = 0;
};

// Executes the lines, and releases the names of a connection when it ends. Call listen() to start.
// [loop] All references outlive it.
std::unique_ptr<TcpServer> make_control_server(EventLoop& loop, const Log& log,
                                               const TcpServer::Options& options, Hub& hub,
                                               Publishing& publishing);

}  // namespace netkit::push
