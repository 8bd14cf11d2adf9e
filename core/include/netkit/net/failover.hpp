// Which server of a client's list is tried next.
#pragma once

#include <cstddef>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

// Every server is tried once a round. A round begins with the one that was connected last, if there
// was one, and goes on with the others in the order of the list. How long to wait before a round is
// the caller's (Reconnect); there is no wait between the servers of one round. Pure. [one thread]
class NETKIT_API Failover {
 public:
  // `servers`: how many there are, at least 1. The first of the list is current() to begin with.
  explicit Failover(std::size_t servers);

  // Whether next() begins a round: the delay comes before it.
  bool round_is_over() const { return connected_ || position_ + 1 == order_.size(); }
  // The one that follows after an attempt that failed, or after a drop, which begins a round.
  void next();
  // The attempt succeeded: after the drop a new round begins with its server.
  void connected();
  // The index of the server that is in use, or is tried.
  std::size_t current() const { return order_[position_]; }

 private:
  std::vector<std::size_t> order_;  // the servers in the order of the round
  std::size_t position_ = 0;        // of the attempt, in the round
  bool connected_ = false;
};

}  // namespace netkit
