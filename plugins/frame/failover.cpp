#include <algorithm>
#include <frame/failover.hpp>
#include <numeric>

namespace netkit::frame {

Failover::Failover(std::size_t addresses) : order_(std::max<std::size_t>(addresses, 1)) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

Failover::Attempt Failover::next() {
  const bool delay_first = next_ == 0 && !first_;
  first_ = false;
  last_ = next_;
  next_ = (next_ + 1) % order_.size();
  return {order_[last_], delay_first};
}

void Failover::on_connected() {
  const std::size_t in_use = order_[last_];
  std::sort(order_.begin(), order_.end());
  const auto at = order_.begin() + static_cast<std::ptrdiff_t>(in_use);
  std::rotate(order_.begin(), at, at + 1);
  last_ = 0;
  next_ = 0;
}

}  // namespace netkit::frame
