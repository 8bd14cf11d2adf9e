// Lines on stderr about peers: their traffic, for -vv and -vvv, and notices that peers can cause at
// will.
#pragma once

#include <cstdint>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {

enum class WireDirection : std::uint8_t { from, to };

// A datagram, or a part of a stream: at level protocol one line, `from 127.0.0.1:9000: data (5
// bytes)`, where `what` is the kind of message (`data`; empty: not known here); at level hex the
// bytes follow, if they may be shown. Costs a comparison where neither is on. Any thread.
NETKIT_API void write_wire_log(const Log& log, WireDirection direction, std::string_view peer,
                               std::string_view bytes, std::string_view what,
                               bool may_be_shown = true);

inline void log_received(const Log& log, const Endpoint& peer, std::string_view bytes,
                         std::string_view what = {}) {
  if (!log.enabled(LogLevel::protocol)) return;
  write_wire_log(log, WireDirection::from, peer.to_string(), bytes, what);
}

inline void log_sent(const Log& log, const Endpoint& peer, std::string_view bytes,
                     std::string_view what = {}) {
  if (!log.enabled(LogLevel::protocol)) return;
  write_wire_log(log, WireDirection::to, peer.to_string(), bytes, what);
}

// Notices, ten a second, and twenty at once after a rest; the next line says how many were left
// out. `loop` and `log` must outlive it. [loop]
class NETKIT_API LimitedLog {
 public:
  LimitedLog(const EventLoop& loop, const Log& log);
  void notice(std::string_view line);

 private:
  const EventLoop& loop_;
  const Log& log_;
  TokenBucket bucket_;
  std::uint64_t left_out_ = 0;
};

}  // namespace netkit
