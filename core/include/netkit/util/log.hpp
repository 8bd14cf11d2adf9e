// Everything on stderr: `netkit: COMMAND: …`, one line per event.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

enum class LogLevel : std::uint8_t {
  error,     // shown even with -q
  notice,    // shown unless -q: what happened, warnings
  info,      // -v: connections
  protocol,  // -vv
  hex,       // -vvv
};

// [any thread] Each line is one write(2). Control bytes, invalid UTF-8 and bidirectional controls
// in it are escaped, so that a peer's bytes may be part of it.
class NETKIT_API Log {
 public:
  // `prefix` is "netkit: COMMAND: " or "netkit: ". With a clock, which must outlive this, lines of
  // level info and above have the time (RFC 3339) after it from -vv on.
  Log(std::string prefix, LogLevel threshold, const Clock* clock = nullptr);

  bool enabled(LogLevel level) const { return level <= threshold_; }
  LogLevel threshold() const { return threshold_; }
  void write(LogLevel level, std::string_view line) const;
  void error(std::string_view line) const { write(LogLevel::error, line); }
  void notice(std::string_view line) const { write(LogLevel::notice, line); }
  void info(std::string_view line) const { write(LogLevel::info, line); }
  void protocol(std::string_view line) const { write(LogLevel::protocol, line); }
  // `what`, then the bytes as a hex dump of 16 a line, at level hex.
  void hex(std::string_view what, std::string_view bytes) const;

  // Lines pass through this instead, whole with prefix and newline: the line editor prints them
  // above the prompt. The writer is called on the thread that logs, one call at a time; it must not
  // log. Empty: to stderr again.
  void redirect(std::function<void(std::string_view line)> writer);

 private:
  std::string prefix_;
  LogLevel threshold_;
  const Clock* clock_;        // null: no times
  mutable std::mutex mutex_;  // of writer_, and of lines while there is one
  std::function<void(std::string_view)> writer_;
};

}  // namespace netkit
