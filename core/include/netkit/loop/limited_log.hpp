// Lines on stderr that peers can cause at will.
#pragma once

#include <cstdint>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {

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
