// Brings what is queued together by peer, in O(n).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <netkit/net/endpoint.hpp>

namespace netkit {

// A small open-addressing table, peer to group, which is emptied by counting an epoch on. A probe
// that finds no place within a few steps starts a group of its own: peers that choose their
// addresses so that they collide only lose the grouping, never time. [one thread]
class PeerGroups {
 public:
  // `seed` is random, so that nobody can tell which addresses collide.
  explicit PeerGroups(std::uint64_t seed) : seed_(seed | 1) {}

  // Fills `order` with 0 to count - 1, those with equal `peer_of(index)` together, where the first
  // of them stood, in their old order.
  template <typename PeerOf>
  void arrange(std::size_t count, PeerOf&& peer_of, std::vector<std::uint32_t>& order) {
    begin(count);
    std::uint32_t group = 0;
    for (std::uint32_t index = 0; index < count; ++index) {
      const Endpoint& peer = peer_of(index);
      // Replies to a batch often come in runs already.
      if (index == 0 || !(peer == peer_of(groups_[group].last))) {
        group = find(peer, [&](std::uint32_t known) -> const Endpoint& {
          return peer_of(groups_[known].first);
        });
      }
      append(group, index);
    }
    write_order(order);
  }

 private:
  struct Slot {
    std::uint32_t epoch = 0;
    std::uint32_t group = 0;
  };
  struct Group {
    std::uint32_t first;
    std::uint32_t last;
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kMostProbes = 16;

  void begin(std::size_t count);
  void append(std::uint32_t group, std::uint32_t index);
  void write_order(std::vector<std::uint32_t>& order) const;

  template <typename FirstOf>
  std::uint32_t find(const Endpoint& peer, FirstOf&& first_of) {
    // The high bits of a product depend on all bits of its factors.
    std::size_t at = (peer.hash() * seed_) >> shift_;
    for (std::size_t probe = 0; probe < kMostProbes; ++probe) {
      Slot& slot = slots_[at];
      if (slot.epoch != epoch_) {
        slot = {epoch_, static_cast<std::uint32_t>(groups_.size())};
        break;
      }
      if (first_of(slot.group) == peer) return slot.group;
      at = (at + 1) & (slots_.size() - 1);
    }
    groups_.push_back({kNone, kNone});
    return static_cast<std::uint32_t>(groups_.size() - 1);
  }

  std::uint64_t seed_;
  unsigned shift_ = 64;
  std::uint32_t epoch_ = 0;
  std::vector<Slot> slots_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> next_;  // the following one of the same group
};

}  // namespace netkit
