// What `echo ping` sends, how it recognizes its probes in replies, and what it
// measures on the way to the server and back: replies, their times and their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/values.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/histogram.hpp>

namespace netkit::echo {

// A probe: `id` (8 bytes, the same for a run, random), `number` (4 bytes), then filling up to the
// size; numbers in network byte order. When it was sent is not in it, so that no reply can lie
// about it.
inline constexpr std::size_t kMinProbe = 12;

// `size` bytes, at least kMinProbe.
std::string make_probe(std::uint64_t id, std::uint32_t number, std::size_t size);
// Writes id and number over the front of `buffer`, which is kMinProbe bytes or more.
void stamp_probe(std::string& buffer, std::uint64_t id, std::uint32_t number);

// The number of the probe that `reply` is: `probe` with another number. Nothing for anything else,
// which no echo server has sent.
std::optional<std::uint32_t> read_probe(std::string_view reply, std::string_view probe);

// Probes are numbered from 1 in the order they are sent. Pure. [one thread]
class PingStatistics {
 public:
  // Remembers the last `remembered` probes (a power of two); a reply to an older one is `unknown`.
  explicit PingStatistics(std::size_t remembered = 65'536);

  enum class Kind : std::uint8_t { reply, duplicate, unknown };
  struct Reply {
    Kind kind = Kind::unknown;
    Duration rtt{};
    bool reordered = false;  // a reply to a later probe came before it
  };

  void on_sent(std::uint32_t number, TimePoint now);
  Reply on_reply(std::uint32_t number, TimePoint now);
  // When a probe was sent, if it is remembered and has no reply; else nothing.
  std::optional<TimePoint> unanswered_since(std::uint32_t number) const;
  void on_refused() { ++refused_; }
  void on_wrong() { ++wrong_; }
  // Adds the numbers of another target; of jitters the largest counts.
  void merge(const PingStatistics& other);

  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return histogram_.count(); }  // probes, each once
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t reordered() const { return reordered_; }
  std::uint64_t unknown() const { return unknown_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t wrong() const { return wrong_; }  // replies that differ from the probe
  std::uint64_t lost() const { return sent_ - received(); }
  double loss_percent() const;  // of what was sent; 0 when nothing was
  // How much one RTT differs from the one before, smoothed as RFC 3550 (6.4.1) does.
  Duration jitter() const;
  const LatencyHistogram& rtt() const { return histogram_; }

 private:
  struct Probe {
    std::uint32_t number = 0;  // 0: none
    bool answered = false;
    TimePoint sent{};
  };
  std::size_t place(std::uint32_t number) const { return number & (probes_.size() - 1); }
  void update_jitter(Duration rtt);

  std::vector<Probe> probes_;
  LatencyHistogram histogram_;
  std::uint64_t sent_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t unknown_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t wrong_ = 0;
  std::uint32_t highest_ = 0;  // number among the replies
  std::optional<Duration> last_rtt_;
  double jitter_ = 0;  // ns
};

// What decides how a measurement ends: --max-loss, --max-p99.
struct Thresholds {
  std::optional<double> max_loss;  // per cent
  std::optional<Duration> max_p99;
  bool any() const { return max_loss || max_p99; }
  // Which one is missed, as a sentence; empty: none.
  std::string missed(double loss_percent, const LatencyHistogram& latency) const;
};
Thresholds read_thresholds(const Values& values);
bool meets(const PingStatistics& statistics, const Thresholds& thresholds);

}  // namespace netkit::echo
