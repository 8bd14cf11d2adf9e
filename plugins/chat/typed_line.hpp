// What a member types: a message or a command.
#pragma once

#include <chat/payload.hpp>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace netkit::chat {

// Views point into the line. What the room is asked is a Request; in peer mode Say alone.
struct TypedIgnore {  // without a name: list them; a name again: no longer ignored
  std::string_view name;
};
struct TypedQuit {};
struct TypedHelp {};
struct TypedTo {  // of peer mode
  std::string_view address;
};
struct TypedPeers {};  // of peer mode
struct TypedMistake {
  std::string why;
};
using TypedLine =
    std::variant<Request, TypedIgnore, TypedQuit, TypedHelp, TypedTo, TypedPeers, TypedMistake>;

// Commands of a member: /who /nick /msg /me /ignore /quit /help, and an operator's: /kick /mute
// /ban /topic.
std::span<const std::string_view> member_commands();
// Commands of peer mode: /to /peers; at a prompt also /quit /help.
std::span<const std::string_view> peer_commands(bool prompt);

// `//x` says `/x`; what does not begin with a slash is said as it is. Pure; any thread.
TypedLine read_member_line(std::string_view line);
TypedLine read_peer_line(std::string_view line, bool prompt);

// What /help says.
std::string_view member_help();

// The members whose messages are hidden. [one thread]
class IgnoreList {
 public:
  // /ignore: adds a name, or removes it if it is there; without a name lists them. Returns what to
  // print.
  std::string obey(std::string_view name);
  bool holds(std::string_view name) const { return names_.contains(name); }

 private:
  std::set<std::string, std::less<>> names_;
};

// What could complete `word`, the last of `line`: a command at the beginning, a name behind it.
std::vector<std::string> complete_line(std::string_view line, std::string_view word,
                                       std::span<const std::string_view> commands,
                                       std::span<const std::string> names);

}  // namespace netkit::chat
