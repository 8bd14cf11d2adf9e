#include <algorithm>
#include <frame/faults.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

// Between the pieces of a frame, so that they come apart.
constexpr Duration kGap = std::chrono::milliseconds(1);

// False for what is none.
bool take(std::string_view name, std::string_view value, Faults& faults) {
  if (name == "delay") {
    const auto delay = read_duration(value);
    faults.delay = delay.value_or(Duration{});
    return delay && *delay > Duration{} && *delay != kNever;
  }
  if (name == "corrupt") {
    const auto share = read_percent(value);
    faults.corrupt = share.value_or(0) / 100;
    return share.has_value();
  }
  if (name == "split") {
    const auto bytes = read_size(value);
    faults.split = bytes.value_or(0);
    return faults.split > 0;
  }
  if (name != "reset") return false;
  faults.reset = read_integer<std::uint64_t>(value).value_or(0);
  return faults.reset > 0;
}

}  // namespace

Faults Faults::parse(const std::vector<std::string>& texts) {
  Faults faults;
  for (const std::string_view text : texts) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string_view value = text.substr(std::min(equals + 1, text.size()));
    if (take(text.substr(0, equals), value, faults)) continue;
    throw UsageError(fmt::format(
        "--fault: '{}' is not a fault (write delay=D, split=BYTES, corrupt=P% or reset=FRAMES)",
        escaped_text(text)));
  }
  return faults;
}

FaultyWay::FaultyWay(EventLoop& loop, const Faults& faults,
                     std::function<void(std::string_view)> pass)
    : loop_(loop),
      faults_(faults),
      pass_(std::move(pass)),
      last_due_(loop.now()),
      gap_end_(last_due_) {}

void FaultyWay::add(std::string_view frame) {
  std::string bytes(frame);
  if (!bytes.empty() && random_.unit() < faults_.corrupt) {
    const std::uint64_t at = random_.below(bytes.size() * 8);
    bytes[at / 8] = static_cast<char>(static_cast<unsigned char>(bytes[at / 8]) ^ (1U << at % 8));
  }
  const std::size_t step = faults_.split == 0 ? bytes.size() : faults_.split;
  last_due_ = std::max(last_due_, saturating_add(loop_.now(), faults_.delay));
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    add_piece(std::string_view(bytes).substr(at, step));
  }
  pass_due();
}

void FaultyWay::add_piece(std::string_view bytes) {
  pieces_.push_back({last_due_, std::string(bytes)});
  waiting_ += bytes.size();
}

TimePoint FaultyWay::due() const {
  return std::max(pieces_.front().due, gap_end_);
}

void FaultyWay::pass_due() {
  while (!pieces_.empty() && due() <= loop_.now()) {
    const std::string bytes = std::move(pieces_.front().bytes);
    pieces_.pop_front();
    waiting_ -= bytes.size();
    pass_(bytes);
    // From when it went, not from when it was to go: pieces that are late would go as one.
    if (faults_.split > 0) gap_end_ = saturating_add(loop_.now(), kGap);
  }
  if (!pieces_.empty()) {
    timer_ = loop_.at(due(), [this] { pass_due(); });
  } else if (done_) {
    std::exchange(done_, nullptr)();
  }
}

void FaultyWay::end(std::function<void()> done) {
  if (pieces_.empty()) return done();
  done_ = std::move(done);
}

}  // namespace netkit::frame
