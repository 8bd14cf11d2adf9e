#include <algorithm>
#include <array>
#include <cmath>
#include <echo/ping_statistics.hpp>

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

std::optional<std::uint32_t> find_probe(std::string_view reply, std::uint64_t id) {
  const auto head = id_bytes(id);
  const std::size_t at = reply.find(std::string_view(head.data(), head.size()));
  if (at == std::string_view::npos || reply.size() - at < kMinProbe) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : reply.substr(at + kIdSize, 4)) {
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return number;
}

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
