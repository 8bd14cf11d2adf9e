// Printing a server's messages: the output belongs to the main loop, and other threads hand theirs
// over.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/record/record.hpp>

namespace netkit::echo {

// One message as it arrived, as views.
struct Message {
  std::string_view proto;  // `udp` or `tcp`, static
  std::uint64_t number;    // of this thread's messages, from 1
  WallTime time;
  const Endpoint* peer;
  std::string_view text;
};

// [the thread of the server's loop] Shows a message; empty: messages are not shown.
using Print = std::function<void(const Message& message)>;

// Calls `use(const Record&)` with a message as `echo serve` reports it.
template <typename Use>
void with_record(const Message& message, Use&& use) {
  const Field fields[] = {{"proto", message.proto}, {"seq", message.number}};
  use(Record{.type = message.proto == "udp" ? "datagram" : "read",
             .time = message.time,
             .peer = message.peer,
             .fields = fields,
             .payload = message.text,
             .line = std::nullopt});
}

// From another loop: messages are copied and go to the main loop once a turn. What would be more
// than kMaxWaiting bytes on their way is left out and counted.
class RelayPrinter {
 public:
  static constexpr std::size_t kMaxWaiting = 64 << 20;
  // `print` is called on `main_loop`; both outlive the loop `own`.
  RelayPrinter(EventLoop& own, EventLoop& main_loop, const Print& print);
  ~RelayPrinter();
  void print(const Message& message);
  std::uint64_t unprinted() const { return unprinted_; }

 private:
  struct Batch;
  void hand_over();

  EventLoop& main_loop_;
  const Print& print_;
  std::unique_ptr<Batch> batch_;
  std::shared_ptr<std::atomic<std::size_t>> waiting_;  // bytes that the main loop has not taken
  std::uint64_t unprinted_ = 0;
  Hook before_wait_;
};

}  // namespace netkit::echo
