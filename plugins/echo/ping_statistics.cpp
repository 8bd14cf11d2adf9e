#include <algorithm>
#include <array>
#include <cmath>
#include <echo/ping_statistics.hpp>

#include <fmt/format.h>

namespace netkit::echo {

namespace {

constexpr std::size_t kIdSize = 8;

std::array<char, kIdSize> id_bytes(std::uint64_t id) {
  std::array<char, kIdSize> bytes{};
  for (std::size_t i = 0; i < kIdSize; ++i) bytes[i] = static_cast<char>(id >> (56 - 8 * i));
  return bytes;
}

}  // namespace

void stamp_probe(std::string& buffer, std::uint64_t id, std::uint32_t number) {
  const auto head = id_bytes(id);
  std::copy(head.begin(), head.end(), buffer.begin());
  for (std::size_t i = 0; i < 4; ++i)
    buffer[kIdSize + i] = static_cast<char>(number >> (24 - 8 * i));
}

std::string make_probe(std::uint64_t id, std::uint32_t number, std::size_t size) {
  std::string probe(std::max(size, kMinProbe), '\0');
  for (std::size_t i = kMinProbe; i < probe.size(); ++i) {
    probe[i] = static_cast<char>('a' + (i - kMinProbe) % 26);
  }
  stamp_probe(probe, id, number);
  return probe;
}

std::optional<std::uint32_t> read_probe(std::string_view reply, std::string_view probe) {
  const bool same = reply.size() == probe.size() &&
                    reply.substr(0, kIdSize) == probe.substr(0, kIdSize) &&
                    reply.substr(kMinProbe) == probe.substr(kMinProbe);
  if (!same) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : reply.substr(kIdSize, 4))
    number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

PingStatistics::PingStatistics(std::size_t remembered) : probes_(remembered) {}

void PingStatistics::on_sent(std::uint32_t number, TimePoint now) {
  probes_[place(number)] = {number, false, now};
  ++sent_;
}

PingStatistics::Reply PingStatistics::on_reply(std::uint32_t number, TimePoint now) {
  Probe& probe = probes_[place(number)];
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

std::optional<TimePoint> PingStatistics::unanswered_since(std::uint32_t number) const {
  const Probe& probe = probes_[place(number)];
  if (probe.number != number || probe.answered) return std::nullopt;
  return probe.sent;
}

void PingStatistics::merge(const PingStatistics& other) {
  histogram_.merge(other.histogram_);
  sent_ += other.sent_;
  duplicates_ += other.duplicates_;
  reordered_ += other.reordered_;
  unknown_ += other.unknown_;
  refused_ += other.refused_;
  wrong_ += other.wrong_;
  jitter_ = std::max(jitter_, other.jitter_);
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

Thresholds read_thresholds(const Values& values) {
  Thresholds thresholds;
  if (values.given("max-loss")) thresholds.max_loss = values.number("max-loss");
  if (values.given("max-p99")) thresholds.max_p99 = values.duration("max-p99");
  return thresholds;
}

std::string Thresholds::missed(double loss_percent, const LatencyHistogram& latency) const {
  if (max_loss && loss_percent > *max_loss) {
    return fmt::format("{:.2f} % lost, more than --max-loss allows", loss_percent);
  }
  const Duration p99 = latency.percentile(99);
  if (!max_p99 || p99 <= *max_p99) return {};
  return fmt::format("p99 is {}, more than --max-p99 allows", latency_text(p99));
}

bool meets(const PingStatistics& statistics, const Thresholds& thresholds) {
  const bool measured = statistics.received() > 0 || (thresholds.max_loss && !thresholds.max_p99);
  return measured && thresholds.missed(statistics.loss_percent(), statistics.rtt()).empty();
}

}  // namespace netkit::echo
