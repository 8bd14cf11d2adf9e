#include <cmath>
#include <echo/ping_statistics.hpp>

namespace netkit::echo {

PingStatistics::PingStatistics(std::size_t remembered) : probes_(remembered) {}

void PingStatistics::on_sent(std::uint32_t number, TimePoint now) {
  at(number) = {number, false, now};
  ++sent_;
}

PingStatistics::Reply PingStatistics::on_reply(std::uint32_t number, TimePoint now) {
  Probe& probe = at(number);
  if (number == 0 || probe.number != number) {
    ++unknown_;
    return {};
  }
  const Duration rtt = now - probe.sent;
  if (probe.answered) {
    ++duplicates_;
    return {Kind::duplicate, rtt, false};
  }
  probe.answered = true;
  histogram_.record(rtt);
  update_jitter(rtt);
  const bool reordered = number < highest_;
  if (reordered) {
    ++reordered_;
  } else {
    highest_ = number;
  }
  return {Kind::reply, rtt, reordered};
}

void PingStatistics::update_jitter(Duration rtt) {
  if (last_rtt_) {
    const auto difference = std::abs(static_cast<double>((rtt - *last_rtt_).count()));
    jitter_ += (difference - jitter_) / 16;
  }
  last_rtt_ = rtt;
}

double PingStatistics::loss_percent() const {
  if (sent_ == 0) return 0;
  return 100.0 * static_cast<double>(lost()) / static_cast<double>(sent_);
}

Duration PingStatistics::jitter() const {
  return Duration(std::llround(jitter_));
}

bool meets(const PingStatistics& statistics, const PingThresholds& thresholds) {
  const bool loss_counts = thresholds.max_loss.has_value();
  if (statistics.received() == 0 && (!loss_counts || thresholds.max_p99)) return false;
  if (loss_counts && statistics.loss_percent() > *thresholds.max_loss) return false;
  return !thresholds.max_p99 || statistics.rtt().percentile(99) <= *thresholds.max_p99;
}

}  // namespace netkit::echo
