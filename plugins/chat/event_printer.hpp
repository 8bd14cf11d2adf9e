// What happens in a room, as records for the output and lines for the history.
#pragma once

#include <chat/history.hpp>
#include <chat/payload.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include <netkit/net/endpoint.hpp>
#include <netkit/record/output.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::chat {

// [loop] Both outlive it.
class EventPrinter {
 public:
  EventPrinter(Output& output, History& history) : output_(output), history_(history) {}
  // Message, Joined, Left, Renamed; the others print nothing. `now`: the time of what bears none.
  void print(const FromRoom& event, std::uint64_t seq, const Endpoint& peer, WallTime now);
  void print_undelivered(std::string_view text, std::string_view why, const Endpoint& peer,
                         WallTime now);

 private:
  void emit(const Message& message, std::uint64_t seq, const Endpoint& peer);
  void emit(const Joined& joined, const Endpoint& peer, WallTime now);
  void emit(const Left& left, const Endpoint& peer, WallTime now);
  void emit(const Renamed& renamed, const Endpoint& peer, WallTime now);

  Output& output_;
  History& history_;
  std::string line_;
};

}  // namespace netkit::chat
