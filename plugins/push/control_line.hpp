// The lines of the TCP control channel (netkit-protocol(7), "push").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace netkit::push {

inline constexpr std::size_t kMaxControlLine = 512;  // bytes without the line's end

struct ControlLine {
  enum class Verb : std::uint8_t { subscribe, unsubscribe, list, status, quit, empty, wrong };
  Verb verb = Verb::wrong;
  std::string_view name;  // of subscribe and unsubscribe; valid as long as the line
  std::uint16_t port = 0;
  std::string_view error;  // of wrong: what would be right
};

// `SUBSCRIBE NAME UDP-PORT`, `UNSUBSCRIBE NAME`, `LIST`, `STATUS`, `QUIT`; verbs in any case. A
// name may hold spaces. Any thread.
ControlLine parse_control(std::string_view line);

}  // namespace netkit::push
