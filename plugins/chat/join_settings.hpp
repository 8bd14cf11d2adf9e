// What `netkit chat join` was asked for.
#pragma once

#include <cstdint>
#include <string>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::chat {

struct JoinSettings {
  AddressSpec address;
  std::string name;
  Duration heartbeat{};
  std::uint64_t since = 0;  // as Hello::since
  std::string history;
  bool commands = false;
  Duration wait{};
  Duration connect_timeout{};
  std::uint64_t reconnect = 0;  // as Reconnect::parse_limit() gives it
  Duration reconnect_max{};
  std::uint64_t count = 0;  // 0: no end
};

}  // namespace netkit::chat
