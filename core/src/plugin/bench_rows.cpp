#include <chrono>
#include <string>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/plugin/bench_rows.hpp>

namespace netkit {
namespace {

// `0`, `0.5`, `12`.
std::string tenths(double seconds) {
  const std::string text = fmt::format("{:.1f}", seconds);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

}  // namespace

BenchRows::BenchRows(Host& host) : host_(host) {
  const Values& values = host.values();
  if (::isatty(STDERR_FILENO) == 1) period_ = std::chrono::seconds(1);
  if (!values.given("stats") || values.text("stats").empty()) return;
  period_ = values.duration("stats");
  with_records_ = host.output().format() == Format::json;
}

void BenchRows::start(Show show) {
  show_ = std::move(show);
  began_ = part_began_ = host_.loop().now();
  if (wanted()) timer_ = host_.loop().every(period_, [this] { show_part(); });
}

void BenchRows::show_part() {
  const auto since_start = [this](TimePoint time) {
    return std::chrono::duration<double>(time - began_).count();
  };
  const TimePoint now = host_.loop().now();
  const TimePoint before = std::exchange(part_began_, now);
  show_({.from = since_start(before), .to = since_start(now), .is_record = with_records_});
}

std::string part_text(const BenchRows::Part& part) {
  return fmt::format("{:>3}-{:<3} s", tenths(part.from), tenths(part.to));
}

}  // namespace netkit
