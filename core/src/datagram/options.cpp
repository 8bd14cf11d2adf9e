#include "datagram/wire.hpp"

#include <algorithm>

#include <netkit/datagram/options.hpp>
#include <netkit/util/random.hpp>

namespace netkit::datagram {

Options Options::within_limits() const {
  constexpr std::uint16_t kMost = kMaxWindow;
  Options valid = *this;
  valid.max_datagram = std::clamp<std::size_t>(max_datagram, 256, kMaxDatagram);
  valid.receive_window = std::clamp<std::uint16_t>(receive_window, 1, kMost);
  valid.max_window = std::clamp<std::uint16_t>(max_window, 1, kMost);
  valid.max_in_flight = std::clamp<std::uint16_t>(max_in_flight, 1, kMost);
  valid.min_in_flight = std::clamp<std::uint16_t>(min_in_flight, 1, valid.max_in_flight);
  valid.initial_in_flight = std::clamp<std::uint16_t>(initial_in_flight, 1, valid.max_in_flight);
  valid.ack_every = std::max<std::uint16_t>(ack_every, 1);
  valid.min_rto = std::max<Duration>(min_rto, std::chrono::milliseconds(1));
  valid.max_rto = std::max(max_rto, valid.min_rto);
  valid.initial_rto = std::max(initial_rto, valid.min_rto);
  valid.handshake_pause = std::max(handshake_pause, valid.min_rto);
  valid.lease = std::max<Duration>(lease, std::chrono::milliseconds(1));
  return valid;
}

std::size_t Options::max_body() const {
  return max_datagram - kHeaderSize;
}

std::string_view to_string(LeftReason reason) {
  switch (reason) {
    case LeftReason::ended:
      return "ended";
    case LeftReason::bye:
      return "bye";
    case LeftReason::finished:
      return "finished";
    case LeftReason::lease:
      return "lease";
    case LeftReason::reset:
      return "reset";
    case LeftReason::timeout:
      return "timeout";
    case LeftReason::version:
      return "version";
    case LeftReason::stranger:
      return "stranger";
    case LeftReason::evicted:
      return "evicted";
    case LeftReason::forbidden:
      return "forbidden";
  }
  return "";
}

Random system_random() {
  return random_number;
}

}  // namespace netkit::datagram
