#include <string>

#include <fmt/format.h>

#include <netkit/net/peer_log.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr double kPerSecond = 10;
constexpr double kBurst = 20;

}  // namespace

void write_wire_log(const Log& log, WireDirection direction, std::string_view peer,
                    std::string_view bytes, std::string_view what, bool may_be_shown) {
  std::string line = direction == WireDirection::from ? "from " : "to ";
  line += peer;
  if (!what.empty()) line.append(": ").append(what);
  if (may_be_shown && log.enabled(LogLevel::hex)) return log.hex(line, bytes);
  log.protocol(fmt::format("{} ({})", line, counted(bytes.size(), "byte")));
}

LimitedLog::LimitedLog(const EventLoop& loop, const Log& log)
    : loop_(loop), log_(log), bucket_(kPerSecond, kBurst, loop.now()) {}

void LimitedLog::notice(std::string_view line) {
  if (!bucket_.take(loop_.now())) {
    ++left_out_;
    return;
  }
  if (left_out_ == 0) return log_.notice(line);
  log_.notice(fmt::format("{} (and {} more lines like this)", line, left_out_));
  left_out_ = 0;
}

}  // namespace netkit
