// `netkit chat join`, and what members of both dialects have in common.
#pragma once

#include <chat/history.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/link.hpp>
#include <netkit/io/input.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::chat {

struct JoinOptions {
  datagram::Link::Options room;
  std::string name;
  bool is_name_given = false;        // false: if it is taken, name2, name3 … are tried
  std::optional<bool> timestamps{};  // nothing: at a prompt
  Duration heartbeat{};
  std::uint64_t since = 0;  // as Hello::since
  std::string history;
  bool commands = false;
  bool notices = true;
  Duration wait{};
  Duration connect_timeout{};
  std::uint64_t count = 0;  // 0: no end
};

// $USER, or what the system calls this user, or `guest`; always a name.
std::string default_name();

// Connects a member's input, the room and the output, and reconnects by the common policy. [loop]
class JoinRun : protected datagram::Link::Handler, protected Input::Handler {
 public:
  // Both outlive it.
  JoinRun(Host& host, const JoinOptions& options);
  ExitStatus run();

 protected:
  virtual datagram::Driver::Handler& driven() = 0;  // what speaks to the room
  virtual void begin() {}                           // before the first attempt to connect
  virtual void stop() = 0;                          // asked to end: INT, TERM or --timeout
  virtual void show(Totals& totals) const = 0;
  virtual std::vector<std::string> complete(std::string_view line, std::string_view word) const;
  void open_input();

  Host& host_;
  const JoinOptions& options_;
  History history_;
  std::optional<datagram::Link> link_;
  std::unique_ptr<Input> input_;
};

class JoinCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  JoinOptions options_;
  bool plain_ = false;
};

}  // namespace netkit::chat
