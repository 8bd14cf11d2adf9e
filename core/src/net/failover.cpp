#include <algorithm>
#include <numeric>

#include <netkit/net/failover.hpp>

namespace netkit {

Failover::Failover(std::size_t servers) : order_(std::max<std::size_t>(servers, 1)) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

void Failover::next() {
  position_ = round_is_over() ? 0 : position_ + 1;
  connected_ = false;
}

void Failover::connected() {
  const std::size_t in_use = current();
  std::sort(order_.begin(), order_.end());
  const auto at = order_.begin() + static_cast<std::ptrdiff_t>(in_use);
  std::rotate(order_.begin(), at, at + 1);
  position_ = 0;
  connected_ = true;
}

}  // namespace netkit
