#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include <netkit/util/format.hpp>
#include <netkit/util/histogram.hpp>

namespace netkit {
namespace {

constexpr unsigned kSubBits = 7;
constexpr std::uint64_t kSubBuckets = 1u << kSubBits;  // in each doubling
constexpr unsigned kMaxBits = 40;                      // 2^40 ns are 18 minutes
constexpr std::uint64_t kBuckets = (kMaxBits - kSubBits + 1) * kSubBuckets;

// Values up to 255 are their own index; above, the leading eight bits choose the bucket.
std::size_t index_of(std::uint64_t value) {
  value = std::min(value, (std::uint64_t{1} << kMaxBits) - 1);
  const auto bits = static_cast<unsigned>(std::bit_width(value | kSubBuckets));
  const unsigned shift = bits - kSubBits - 1;
  return static_cast<std::size_t>(shift * kSubBuckets + (value >> shift));
}

std::uint64_t lowest_of(std::size_t index) {
  if (index < 2 * kSubBuckets) return index;
  const std::uint64_t shift = index / kSubBuckets - 1;
  return (index % kSubBuckets + kSubBuckets) << shift;
}

std::int64_t middle_of(std::size_t index) {
  return static_cast<std::int64_t>((lowest_of(index) + lowest_of(index + 1) - 1) / 2);
}

constexpr unsigned kLeastWidth = 40;
constexpr std::uint64_t kLeastValues = 20;  // that have a shape

struct Scale {
  std::int64_t nanoseconds;
  std::string_view unit;
};

constexpr Scale kScales[] = {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}};

const Scale& scale_of(std::int64_t nanoseconds) {
  for (const Scale& scale : kScales) {
    if (nanoseconds >= scale.nanoseconds) return scale;
  }
  return kScales[std::size(kScales) - 1];
}

// The powers of two of each unit, from 1 ns on; what is longer than the last has none.
std::vector<std::int64_t> row_ends() {
  std::vector<std::int64_t> ends;
  for (auto scale = std::rbegin(kScales); scale != std::rend(kScales); ++scale) {
    for (std::int64_t times = 1; times < 1000; times *= 2) {
      ends.push_back(times * scale->nanoseconds);
    }
  }
  return ends;
}

// `eighths` of a cell, as whole cells and what is left of one.
std::string bar_of_blocks(std::size_t eighths) {
  constexpr std::string_view kBlocks[] = {"",       "\u258f", "\u258e", "\u258d",
                                          "\u258c", "\u258b", "\u258a", "\u2589"};
  std::string out;
  for (std::size_t i = 0; i < eighths / 8; ++i) out += "\u2588";
  out += kBlocks[eighths % 8];
  return out;
}

struct Row {
  std::int64_t end = 0;
  std::uint64_t count = 0;
  bool beyond = false;  // of what is longer than `end`
};

// Draws `share`, 0 to 1, on `width` columns, and fills the rest with blanks.
void append_bar(std::string& out, double share, std::size_t width, bool utf8) {
  const std::size_t parts = utf8 ? 8 : 1;
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width * parts));
  const std::size_t drawn = std::max<std::size_t>((filled + parts - 1) / parts, 1);
  if (filled == 0) {
    out += utf8 ? "\u00b7" : ".";
  } else {
    out += utf8 ? bar_of_blocks(filled) : std::string(filled, '#');
  }
  out.append(width - drawn, ' ');
}

std::string share_text(double percent) {
  return percent > 0 && percent < 0.05 ? "<0.1 %" : fmt::format("{:.1f} %", percent);
}

std::string draw(const std::vector<Row>& rows, std::uint64_t total, std::size_t width, bool utf8) {
  constexpr std::size_t kFixed = 2 + 10 + 2 + 2 + 7;  // indent, `<= 512 us`, gaps, share
  std::uint64_t most = 1;
  for (const Row& row : rows) most = std::max(most, row.count);
  std::string out;
  for (const Row& row : rows) {
    const LatencyUnit unit{Duration(row.end), utf8};
    fmt::format_to(std::back_inserter(out), "  {:>2} {:>3} {:<2}   ",
                   utf8 ? "\u2264" : "<=", unit.number(Duration(row.end)), unit.name());
    const double share = static_cast<double>(row.count) / static_cast<double>(most);
    append_bar(out, share, width - kFixed, utf8);
    const double percent = 100 * static_cast<double>(row.count) / static_cast<double>(total);
    fmt::format_to(std::back_inserter(out), "  {:>7}\n", share_text(percent));
  }
  return out;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(kBuckets) {}

void LatencyHistogram::record(Duration value, std::uint64_t times) {
  if (times == 0) return;
  const std::int64_t nanoseconds = std::max<std::int64_t>(value.count(), 0);
  buckets_[index_of(static_cast<std::uint64_t>(nanoseconds))] += times;
  count_ += times;
  sum_ += static_cast<double>(nanoseconds) * static_cast<double>(times);
  min_ = std::min(min_, nanoseconds);
  max_ = std::max(max_, nanoseconds);
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void LatencyHistogram::clear() {
  *this = LatencyHistogram();
}

Duration LatencyHistogram::min() const {
  return count_ == 0 ? Duration::zero() : Duration(min_);
}

Duration LatencyHistogram::mean() const {
  if (count_ == 0) return Duration::zero();
  return Duration(std::llround(sum_ / static_cast<double>(count_)));
}

Duration LatencyHistogram::percentile(double percent) const {
  if (count_ == 0) return Duration::zero();
  const double wanted =
      std::ceil(std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  // The ends are known exactly.
  if (rank == 1) return min();
  if (rank == count_) return max();
  std::uint64_t seen = 0;
  std::size_t index = 0;
  while (index + 1 < buckets_.size() && (seen += buckets_[index]) < rank) ++index;
  return Duration(std::clamp(middle_of(index), min_, max_));
}

// Of the buckets whose middle is at most `high`.
std::uint64_t LatencyHistogram::count_up_to(std::int64_t high) const {
  if (high >= max_) return count_;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] != 0 && std::clamp(middle_of(i), min_, max_) <= high) sum += buckets_[i];
  }
  return sum;
}

std::string latency_text(Duration latency) {
  const std::int64_t nanoseconds = latency.count();
  if (nanoseconds < 0) return fmt::format("-{}", latency_text(-latency));
  const Scale& scale = scale_of(nanoseconds);
  const double value = static_cast<double>(nanoseconds) / static_cast<double>(scale.nanoseconds);
  int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
  if (scale.nanoseconds == 1) decimals = 0;
  return fmt::format("{:.{}f}{}", value, decimals, scale.unit);
}

LatencyUnit::LatencyUnit(Duration typical, bool utf8) {
  const Scale& scale = scale_of(typical.count());
  name_ = utf8 && scale.unit == "us" ? "\u00b5s" : scale.unit;
  nanoseconds_ = static_cast<double>(scale.nanoseconds);
}

std::string LatencyUnit::number(Duration latency) const {
  return short_number(static_cast<double>(std::max<std::int64_t>(latency.count(), 0)) /
                      nanoseconds_);
}

std::string LatencyUnit::text(Duration latency) const {
  return fmt::format("{} {}", number(latency), name_);
}

std::string LatencyHistogram::render(unsigned width, bool utf8) const {
  if (count_ < kLeastValues) return {};
  std::vector<Row> rows;
  std::uint64_t before = 0;
  for (const std::int64_t end : row_ends()) {
    const std::uint64_t now = count_up_to(end);
    if (now > before) rows.push_back({end, now - before});
    before = now;
  }
  if (before < count_) rows.push_back({row_ends().back(), count_ - before, true});
  return draw(rows, count_, std::max(width, kLeastWidth), utf8);
}

void LatencyHistogram::append_samples(std::string& out, std::string_view name,
                                      std::string_view labels) const {
  constexpr unsigned kFirst = 10;  // 2^10 ns are a microsecond, 2^36 ns a minute
  constexpr unsigned kLast = 36;
  const auto bucket = [&](std::string_view end, std::uint64_t count) {
    fmt::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels,
                   labels.empty() ? "" : ",", end, count);
  };
  for (unsigned power = kFirst; power <= kLast; ++power) {
    const std::int64_t end = std::int64_t{1} << power;
    bucket(fmt::format("{:.9f}", static_cast<double>(end) / 1e9), count_up_to(end));
  }
  bucket("+Inf", count_);
  const std::string braced = labels.empty() ? std::string() : fmt::format("{{{}}}", labels);
  fmt::format_to(std::back_inserter(out), "{0}_sum{1} {2:.9f}\n{0}_count{1} {3}\n", name, braced,
                 sum_ / 1e9, count_);
}

}  // namespace netkit
