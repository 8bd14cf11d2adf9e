#include <string>

#include <fmt/format.h>

#include <netkit/net/wire_log.hpp>

namespace netkit {

void write_wire_log(const Log& log, WireDirection direction, std::string_view peer,
                    std::string_view bytes, std::string_view what) {
  std::string line = direction == WireDirection::from ? "from " : "to ";
  line += peer;
  if (!what.empty()) line.append(": ").append(what);
  if (log.enabled(LogLevel::hex)) return log.hex(line, bytes);
  log.protocol(fmt::format("{} ({} bytes)", line, bytes.size()));
}

}  // namespace netkit
