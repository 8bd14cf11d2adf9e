#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

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

constexpr std::int64_t kMostRows = 10;
constexpr unsigned kLeastWidth = 40;

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

// The least of 1, 2, 5, 10, 20, ... that covers `span` in `rows` steps.
std::int64_t round_step(std::int64_t span, std::int64_t rows) {
  const std::int64_t least = std::max<std::int64_t>((span + rows - 1) / rows, 1);
  std::int64_t power = 1;
  while (power <= least / 10) power *= 10;
  for (const std::int64_t digit : {1, 2, 5, 10}) {
    if (digit * power >= least) return digit * power;
  }
  return 10 * power;
}

struct Row {
  std::string range;
  std::uint64_t count = 0;
};

std::string draw(const std::vector<Row>& rows, std::uint64_t total, std::size_t width) {
  std::size_t range_width = 0;
  std::uint64_t most = 1;
  for (const Row& row : rows) {
    range_width = std::max(range_width, row.range.size());
    most = std::max(most, row.count);
  }
  const std::size_t count_width = fmt::formatted_size("{}", most);
  const std::size_t fixed = range_width + count_width + 6 + 4;
  const std::size_t bar_width = width > fixed + 4 ? width - fixed : 4;
  std::string out;
  for (const Row& row : rows) {
    const double filled =
        static_cast<double>(row.count) / static_cast<double>(most) * static_cast<double>(bar_width);
    auto bar = static_cast<std::size_t>(std::llround(filled));
    if (row.count > 0) bar = std::max<std::size_t>(bar, 1);
    const double share = 100.0 * static_cast<double>(row.count) / static_cast<double>(total);
    const std::string filled_bar(bar, '#');
    out += fmt::format("{:>{}}  {:<{}} {:>{}} {:>6}\n", row.range, range_width, filled_bar,
                       bar_width, row.count, count_width, fmt::format("{:.1f}%", share));
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

// Of the buckets whose middle lies in [low, high).
std::uint64_t LatencyHistogram::count_between(std::int64_t low, std::int64_t high) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const std::int64_t middle = std::clamp(middle_of(i), min_, max_);
    if (buckets_[i] != 0 && middle >= low && middle < high) sum += buckets_[i];
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

std::string LatencyHistogram::render(unsigned width) const {
  if (count_ == 0) return {};
  const std::int64_t body_end = std::max(percentile(99).count(), min_);
  const std::int64_t step = round_step(body_end - min_ + 1, kMostRows);
  std::vector<Row> rows;
  std::int64_t low = min_ / step * step;
  for (; low <= body_end; low += step) {
    rows.push_back(
        {fmt::format("{} - {}", latency_text(Duration(low)), latency_text(Duration(low + step))),
         count_between(low, low + step)});
  }
  if (max_ >= low)
    rows.push_back(
        {fmt::format("over {}", latency_text(Duration(low))), count_between(low, INT64_MAX)});
  return draw(rows, count_, std::max(width, kLeastWidth));
}

}  // namespace netkit
