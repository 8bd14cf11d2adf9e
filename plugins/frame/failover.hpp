// Which address of a client's list is tried next.
#pragma once

#include <cstddef>
#include <vector>

namespace netkit::frame {

// Every address is tried once a round. A round begins with the address that was connected last, if
// there was one, and goes on with the others in the order of the list. How long to wait before a
// round is the caller's (its back-off); there is no wait between the addresses of one round.
class Failover {
 public:
  struct Attempt {
    std::size_t address;  // its index in the list
    bool delay_first;     // wait for the reconnect delay before it: it begins a round
  };

  // `addresses`: how many there are, at least 1.
  explicit Failover(std::size_t addresses);

  // The attempt that follows one that failed, or a drop; the first attempt ever has no delay.
  Attempt next();
  // The last attempt succeeded: after the drop a new round begins with its address.
  void on_connected();
  // The address of the last attempt.
  std::size_t current() const { return order_[last_]; }

 private:
  std::vector<std::size_t> order_;  // the addresses in the order of the round
  std::size_t last_ = 0;            // position of the last attempt
  std::size_t next_ = 0;            // position of the next one
  bool first_ = true;
};

}  // namespace netkit::frame
