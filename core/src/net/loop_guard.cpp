#include "util/wide.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <netkit/net/loop_guard.hpp>

namespace netkit {

namespace {

constexpr std::size_t kSample = 64;  // bytes from each end that make a content's hash

std::uint64_t load(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Sixteen bytes a step (after wyhash); the steps do not wait for each other.
std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t kOne = 0xa0761d6478bd642fu;
  constexpr std::uint64_t kTwo = 0xe7037ed1a0b428dbu;
  std::uint64_t hash = fold_product(seed ^ kOne, bytes.size() ^ kTwo);
  std::uint64_t place = kTwo;
  for (; bytes.size() >= 16; bytes.remove_prefix(16)) {
    hash ^= fold_product(load(bytes.data()) ^ seed ^ place, load(bytes.data() + 8) ^ kOne);
    place += kOne;  // so that the same bytes elsewhere count differently
  }
  std::array<char, 16> rest{};
  bytes.copy(rest.data(), rest.size());
  hash ^= fold_product(load(rest.data()) ^ seed ^ place, load(rest.data() + 8) ^ kOne);
  return fold_product(hash ^ kOne, kTwo);
}

// Counters, times and numbers are at the ends of load generators' payloads; the middle of a long
// one is filler.
std::uint64_t hash_content(std::string_view datagram, std::uint64_t hash) {
  if (datagram.size() <= 2 * kSample) return hash_bytes(datagram, hash);
  hash ^= datagram.size();
  hash = hash_bytes(datagram.substr(0, kSample), hash);
  return hash_bytes(datagram.substr(datagram.size() - kSample), hash);
}

}  // namespace

LoopGuard::LoopGuard(const Options& options) : options_(options) {
  if (!options_.any_content) contents_.resize(options_.contents);
}

std::uint64_t LoopGuard::peer_hash(const Endpoint& peer) const {
  return fold_product(peer.hash() ^ options_.seed, 0x9e3779b97f4a7c15u);
}

bool LoopGuard::seen_before(std::uint64_t peer_hash, std::string_view datagram) {
  const std::uint64_t hash = hash_content(datagram, peer_hash);
  const auto tag = static_cast<std::uint32_t>(hash >> 32) | 1u;  // 0 is a free place
  std::uint32_t& place = contents_[hash & (contents_.size() - 1)];
  if (place == tag) return true;
  place = tag;
  return false;
}

LoopGuard::Peer* LoopGuard::find(const Endpoint& peer, std::uint64_t peer_hash) {
  if (peers_.empty()) return nullptr;
  Peer* const row = &peers_[(peer_hash & (peers_.size() / kRow - 1)) * kRow];
  Peer* const found = std::find_if(row, row + kRow, [&](const Peer& candidate) {
    return candidate.last != TimePoint::min() && candidate.endpoint == peer;
  });
  return found == row + kRow ? nullptr : found;
}

LoopGuard::Peer& LoopGuard::find_or_replace(const Endpoint& peer, std::uint64_t peer_hash) {
  if (peers_.empty()) peers_.resize(options_.peers);
  if (Peer* const known = find(peer, peer_hash)) return *known;
  Peer* const row = &peers_[(peer_hash & (peers_.size() / kRow - 1)) * kRow];
  Peer& oldest = *std::min_element(row, row + kRow,
                                   [](const Peer& a, const Peer& b) { return a.last < b.last; });
  oldest = Peer{};
  oldest.endpoint = peer;
  oldest.next_probe = options_.probe_after;
  return oldest;
}

LoopGuard::Verdict LoopGuard::on_datagram(const Endpoint& peer, std::string_view datagram,
                                          std::size_t count, TimePoint now) {
  const std::uint64_t hash = peer_hash(peer);
  if (loops_ > 0) {  // whatever it says, a server that was found is not answered
    Peer* const known = find(peer, hash);
    if (known != nullptr && known->looping) return count_repeat(*known, count, now);
  }
  if (!options_.any_content && !seen_before(hash, datagram)) return Verdict::answer;
  return count_repeat(find_or_replace(peer, hash), count, now);
}

LoopGuard::Verdict LoopGuard::count_repeat(Peer& peer, std::size_t count, TimePoint now) {
  const bool rested = peer.last != TimePoint::min() &&
                      now - peer.last > (peer.looping ? options_.silence : options_.streak_ends);
  if (rested) {
    const Endpoint endpoint = peer.endpoint;
    peer = Peer{};
    peer.endpoint = endpoint;
    peer.next_probe = options_.probe_after;
  }
  peer.last = now;
  if (peer.looping) return Verdict::drop;
  peer.streak += static_cast<std::uint32_t>(
      std::min<std::size_t>(count, UINT32_MAX - std::size_t{peer.streak}));
  if (peer.streak < peer.next_probe) return Verdict::answer;
  peer.next_probe = peer.streak > UINT32_MAX / 2 ? UINT32_MAX : peer.streak * 2;
  peer.probed = now;
  probing_until_ = now + kProbeWait;
  return Verdict::probe;
}

bool LoopGuard::on_probe_answer(const Endpoint& peer, TimePoint now) {
  Peer* const known = find(peer, peer_hash(peer));
  if (known == nullptr || known->looping || known->probed == TimePoint::min()) return false;
  if (now - known->probed > kProbeWait) return false;
  known->looping = true;
  known->last = now;
  ++loops_;
  return true;
}

}  // namespace netkit
