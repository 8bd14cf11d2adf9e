
#include <iterator>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/util/file.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/log.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::size_t kHexBytes = 16;  // per line

void append_hex_line(std::string& out, std::size_t offset, std::string_view bytes) {
  fmt::format_to(std::back_inserter(out), "{:04x}", offset & 0xFFFFU);
  out += ' ';
  for (std::size_t i = 0; i < kHexBytes; ++i) {
    if (i % 8 == 0) out += ' ';
    if (i < bytes.size()) {
      fmt::format_to(std::back_inserter(out), "{:02x} ", static_cast<unsigned char>(bytes[i]));
    } else {
      out += "   ";
    }
  }
  out += " |";
  for (const char c : bytes) out += c >= 0x20 && c < 0x7F ? c : '.';
  out += '|';
}

}  // namespace

Log::Log(std::string prefix, LogLevel threshold, const Clock* clock)
    : prefix_(std::move(prefix)),
      threshold_(threshold),
      clock_(threshold >= LogLevel::protocol ? clock : nullptr) {}

void Log::write(LogLevel level, std::string_view line) const {
  if (!enabled(level)) return;
  std::string whole = prefix_;
  // What others read, such as where a server listens, stays as it is.
  if (clock_ != nullptr && level >= LogLevel::info) whole += rfc3339(clock_->wall()) + ' ';
  escape_text(whole, line, false);
  whole += '\n';
  const std::scoped_lock lock(mutex_);
  if (writer_) {
    writer_(whole);
    return;
  }
  // There is nowhere to report that standard error cannot be written to.
  static_cast<void>(write_all(STDERR_FILENO, whole));
}

void Log::hex(std::string_view what, std::string_view bytes) const {
  if (!enabled(LogLevel::hex)) return;
  write(LogLevel::hex, fmt::format("{} ({})", what, counted(bytes.size(), "byte")));
  for (std::size_t at = 0; at < bytes.size(); at += kHexBytes) {
    std::string line;
    append_hex_line(line, at, bytes.substr(at, kHexBytes));
    write(LogLevel::notice, line);  // without the time, which stands above
  }
}

void Log::redirect(std::function<void(std::string_view line)> writer) {
  const std::scoped_lock lock(mutex_);
  writer_ = std::move(writer);
}

}  // namespace netkit
