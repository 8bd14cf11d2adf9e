#include "net/peer_groups.hpp"

#include <algorithm>
#include <bit>

namespace netkit {

void PeerGroups::begin(std::size_t count) {
  groups_.clear();
  if (next_.size() < count) next_.resize(count);
  const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(2 * count, 64));
  if (slots_.size() < wanted) {
    slots_.assign(wanted, {});
    shift_ = 64 - static_cast<unsigned>(std::countr_zero(wanted));
    epoch_ = 0;
  }
  if (++epoch_ == 0) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    epoch_ = 1;
  }
}

void PeerGroups::append(std::uint32_t group, std::uint32_t index) {
  Group& target = groups_[group];
  if (target.first == kNone) {
    target.first = index;
  } else {
    next_[target.last] = index;
  }
  target.last = index;
  next_[index] = kNone;
}

void PeerGroups::write_order(std::vector<std::uint32_t>& order) const {
  order.clear();
  for (const Group& group : groups_) {
    for (std::uint32_t index = group.first; index != kNone; index = next_[index]) {
      order.push_back(index);
    }
  }
}

}  // namespace netkit
