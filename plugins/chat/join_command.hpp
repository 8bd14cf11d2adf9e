// `netkit chat join`.
#pragma once

#include <cstdint>
#include <string>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/reconnect.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::chat {

struct JoinOptions {
  AddressSpec address;
  std::string name;
  Duration heartbeat{};
  std::uint64_t since = 0;  // as Hello::since
  std::string history;
  bool commands = false;
  Duration wait{};
  Duration connect_timeout{};
  Reconnect::Options reconnect;
  std::uint64_t count = 0;  // 0: no end
};

// $USER, or what the system calls this user, or `guest`; always a name.
std::string default_name();

class JoinCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  JoinOptions options_;
  bool plain_ = false;
};

}  // namespace netkit::chat
