#include <algorithm>
#include <cmath>

#include <netkit/util/format.hpp>
#include <netkit/util/histogram.hpp>

namespace netkit {
namespace {

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

std::string right_aligned(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  std::string out;
  append_fixed(out, 100.0 * static_cast<double>(part) / static_cast<double>(whole), 1);
  return right_aligned(out + "%", 6);
}

std::string draw(const std::vector<Row>& rows, std::uint64_t total, std::size_t width) {
  std::size_t range_width = 0;
  std::uint64_t most = 1;
  for (const Row& row : rows) {
    range_width = std::max(range_width, row.range.size());
    most = std::max(most, row.count);
  }
  const std::size_t count_width = std::to_string(most).size();
  const std::size_t fixed = range_width + count_width + 6 + 4;
  const std::size_t bar_width = width > fixed + 4 ? width - fixed : 4;
  std::string out;
  for (const Row& row : rows) {
    const double filled =
        static_cast<double>(row.count) / static_cast<double>(most) * static_cast<double>(bar_width);
    auto bar = static_cast<std::size_t>(std::llround(filled));
    if (row.count > 0) bar = std::max<std::size_t>(bar, 1);
    out += right_aligned(row.range, range_width) + "  " + std::string(bar, '#') +
           std::string(bar_width - bar, ' ') + ' ' +
           right_aligned(std::to_string(row.count), count_width) + ' ' +
           share_text(row.count, total) + '\n';
  }
  return out;
}

}  // namespace

std::string latency_text(Duration latency) {
  const std::int64_t nanoseconds = latency.count();
  if (nanoseconds < 0) return "-" + latency_text(-latency);
  const Scale& scale = scale_of(nanoseconds);
  const double value = static_cast<double>(nanoseconds) / static_cast<double>(scale.nanoseconds);
  int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
  if (scale.nanoseconds == 1) decimals = 0;
  std::string out;
  append_fixed(out, value, decimals);
  return out.append(scale.unit);
}

std::string LatencyHistogram::render(unsigned width) const {
  if (count_ == 0) return {};
  const std::int64_t body_end = std::max(percentile(99).count(), min_);
  const std::int64_t step = round_step(body_end - min_ + 1, kMostRows);
  std::vector<Row> rows;
  std::int64_t low = min_ / step * step;
  for (; low <= body_end; low += step) {
    const std::string range =
        latency_text(Duration(low)) + " - " + latency_text(Duration(low + step));
    rows.push_back({range, count_between(low, low + step)});
  }
  if (max_ >= low)
    rows.push_back({"over " + latency_text(Duration(low)), count_between(low, INT64_MAX)});
  return draw(rows, count_, std::max(width, kLeastWidth));
}

}  // namespace netkit
