// What happens in a room, as records for the output and as lines of a file that remembers it.
#pragma once

#include <chat/payload.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/net/endpoint.hpp>
#include <netkit/record/output.hpp>
#include <netkit/record/record.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/log.hpp>

namespace netkit::chat {

// One line a message, appended whole: `TIME > WHO TEXT` for what was said here, `TIME < WHO TEXT`
// for what others said, `TIME * WHO TEXT` for who comes and goes; TIME is RFC 3339 in UTC. WHO and
// TEXT are escaped, and white space in WHO too, so that each message is one line and each part can
// be found. [one thread]
class History {
 public:
  explicit History(const Log& log) : log_(log) {}
  // Throws SystemError. An empty path: nothing is kept.
  void open(const std::string& path);
  // A failed write is reported once, until one succeeds again; the chat continues.
  void add(char direction, std::string_view who, std::string_view text, WallTime time);
  std::uint64_t lost() const { return lost_; }  // lines
  // The exit status of a run that would end with `status`. Throws Error if all went well except
  // that lines were lost, since nothing else would tell a later reader of the file.
  ExitStatus outcome(ExitStatus status) const;

 private:
  const Log& log_;
  AppendFile file_;
  std::string path_;
  std::string line_;
  TimeFormatter times_;
  std::uint64_t lost_ = 0;
  bool failed_ = false;
};

// [loop] Both outlive it.
class EventPrinter {
 public:
  struct Options {
    bool notices = true;      // false: who comes and goes is only in the history
    bool timestamps = false;  // the time of day in front of each line, and the day when it changes
  };
  EventPrinter(Output& output, History& history, const Options& options)
      : output_(output), history_(history), options_(options) {}
  // Prints what does not belong in the history: one's own lines, as the others see them.
  void show(const Message& message, const Endpoint& peer);
  // Messages that name this member ring the bell; empty: none does.
  void call_by(std::string_view name) { name_ = name; }
  // Message, Joined, Left, Renamed, Topic; the others print nothing. `now`: the time of what bears
  // none.
  void print(const FromRoom& event, std::uint64_t seq, const Endpoint& peer, WallTime now);
  void print_undelivered(std::string_view text, std::string_view why, const Endpoint& peer,
                         WallTime now);

 private:
  void emit(const Joined& joined, const Endpoint& peer, WallTime now);
  void emit(const Left& left, const Endpoint& peer, WallTime now);
  void emit(const Renamed& renamed, const Endpoint& peer, WallTime now);
  void emit(const Topic& topic, const Endpoint& peer, WallTime now);

  void notice(Record record);
  void emit(Record record);
  void emit(const Message& message, std::optional<std::uint64_t> seq, const Endpoint& peer);
  bool calls(std::string_view text) const;

  Output& output_;
  History& history_;
  Options options_;
  std::string name_;
  std::string line_;
  std::string prefix_;
  std::string day_;  // of the line before
  TimeFormatter times_;
};

}  // namespace netkit::chat
