// Congestion that the path marks instead of dropping what it carries (RFC 3168; RFC 9000, section
// 13.4). Pure. [one thread]
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace netkit::datagram {

inline constexpr std::uint8_t kCongestionExperienced = 3;

// What a receiver reports about DATA sent as ECN-capable: how many still were when they arrived,
// and how many of these were marked as congested. Modulo 2^32.
struct EcnCounts {
  std::uint32_t marked = 0;
  std::uint32_t congested = 0;
  friend bool operator==(const EcnCounts&, const EcnCounts&) = default;
};

// Whether a sender marks its DATA as ECN-capable: the first few, and more once it is known that
// marks arrive and that the other side reports them. Not on paths that clear the marks, or mark
// everything as congested.
class EcnSender {
 public:
  bool marks() const { return state_ == State::testing || state_ == State::capable; }
  void on_sent() {  // one that was marked
    if (state_ == State::testing && ++sent_ == kTest) state_ = State::unknown;
  }
  // A marked datagram that was sent once has arrived.
  void on_acked() { ++acked_; }
  // To be called for an ACK that acknowledges something new; without counts the peer does not
  // report any. Returns how many more were marked as congested.
  std::uint32_t on_counts(const std::optional<EcnCounts>& counts) {
    if (state_ == State::failed || acked_ == 0) return 0;
    if (!counts) return fail();
    const auto newer = static_cast<std::int32_t>(counts->marked - known_.marked);
    if (newer < 0) return 0;
    if (static_cast<std::int32_t>(counts->marked - acked_) < 0) return fail();  // marks are cleared
    if (state_ != State::capable && counts->marked >= kTest &&
        counts->congested == counts->marked) {
      return fail();
    }
    if (state_ == State::unknown) state_ = State::capable;
    const std::uint32_t congested = counts->congested - known_.congested;
    known_ = *counts;
    return std::min(congested, static_cast<std::uint32_t>(newer));
  }

 private:
  static constexpr std::uint32_t kTest = 10;
  enum class State : std::uint8_t { testing, unknown, capable, failed };
  std::uint32_t fail() {
    state_ = State::failed;
    return 0;
  }

  State state_ = State::testing;
  std::uint32_t sent_ = 0;
  std::uint32_t acked_ = 0;
  EcnCounts known_;
};

// What a receiver counts, and whether it has reported it.
class EcnReceiver {
 public:
  // A DATA sent as ECN-capable arrived with these two bits in the IP header.
  void on_marked(std::uint8_t bits) {
    heard_ = true;
    if (bits != 0) ++counts_.marked;
    if (bits != kCongestionExperienced) return;
    ++counts_.congested;
    told_ = false;
  }
  bool heard() const { return heard_; }  // of marks, so that they are to be told
  // At once: congestion, and that marks arrive at all.
  bool news() const { return heard_ && !told_; }
  const EcnCounts& counts() const { return counts_; }
  void on_told() { told_ = heard_; }

 private:
  EcnCounts counts_;
  bool heard_ = false;
  bool told_ = false;
};

}  // namespace netkit::datagram
