#include <algorithm>
#include <bit>
#include <cmath>

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

}  // namespace netkit
