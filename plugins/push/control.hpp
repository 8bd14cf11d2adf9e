// The TCP control channel (netkit-protocol(7), "push"): its lines, the roster in them, and the
// server that obeys them. All but the server is pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <push/hub.hpp>
#include <string>
#include <string_view>

#include <netkit/net/tcp_server.hpp>

namespace netkit::push {

inline constexpr std::size_t kMaxControlLine = 512;  // bytes without the line's end

struct ControlLine {
  enum class Verb : std::uint8_t { subscribe, unsubscribe, list, status, quit, empty, wrong, http };
  Verb verb = Verb::wrong;
  std::string_view name;  // of subscribe and unsubscribe; valid as long as the line
  std::uint16_t port = 0;
  std::string_view error;  // of wrong: what would be right
};

// `SUBSCRIBE NAME UDP-PORT`, `UNSUBSCRIBE NAME`, `LIST`, `STATUS`, `QUIT`; verbs in any case. A
// name may hold spaces.
ControlLine parse_control(std::string_view line);

// `NAME ADDRESS` and a newline: a row of LIST. The name is escaped.
void append_list_row(std::string& out, const RosterRow& row);

// `ADDRESS plain|native AGE SENT LOST LAG NAME`, of a native one a tab and `RTT WINDOW RATE AGAIN`
// (milliseconds, datagrams, datagrams a second, datagrams), and a newline: a row of STATUS; AGE in
// seconds with three decimals; the name is escaped, a backslash too, so that it can be read again.
void append_status_row(std::string& out, const RosterRow& row);

// A row of STATUS read again.
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

// Obeys lines, and lets go of the names that a connection holds when it ends. To be told where to
// listen(). [loop] All references outlive it.
std::unique_ptr<TcpServer> make_control_server(EventLoop& loop, const Log& log,
                                               const TcpServer::Options& options, Hub& hub);

}  // namespace netkit::push
