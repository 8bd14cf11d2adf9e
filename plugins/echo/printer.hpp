// Where a server's messages are shown: the output belongs to the main loop, and other threads hand
// theirs over.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/record/output.hpp>
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

// The types of records that `echo serve` makes.
inline constexpr std::string_view kDatagramRecord = "datagram";
inline constexpr std::string_view kReadRecord = "read";

// Gives `use` the record of a message; its fields live during the call.
template <typename Use>
void with_record(const Message& message, Use&& use) {
  const Field fields[] = {{"proto", message.proto}, {"seq", message.number}};
  use(Record{.type = message.proto == "udp" ? kDatagramRecord : kReadRecord,
             .time = message.time,
             .peer = message.peer,
             .fields = fields,
             .payload = message.text,
             .line = std::nullopt});
}

// [the thread of the server's loop]
class Printer {
 public:
  virtual ~Printer() = default;
  virtual bool wanted() const = 0;  // false: print() need not be called at all
  virtual void print(const Message& message) = 0;
  virtual std::uint64_t unprinted() const { return 0; }
};

// To the output, on the main loop.
class OutputPrinter final : public Printer {
 public:
  OutputPrinter(Output& output, bool wanted) : output_(output), wanted_(wanted) {}
  bool wanted() const override { return wanted_; }
  void print(const Message& message) override {
    with_record(message, [this](const Record& record) { output_.emit(record); });
  }

 private:
  Output& output_;
  bool wanted_;
};

// From another loop: messages are copied and go to the main loop once a turn. What would be more
// than kMaxWaiting bytes on their way is left out and counted.
class RelayPrinter final : public Printer {
 public:
  static constexpr std::size_t kMaxWaiting = 64 << 20;
  // `main_printer` is used on `main_loop`; both outlive the loop `own`.
  RelayPrinter(EventLoop& own, EventLoop& main_loop, Printer& main_printer);
  ~RelayPrinter() override;
  bool wanted() const override { return main_printer_.wanted(); }
  void print(const Message& message) override;
  std::uint64_t unprinted() const override { return unprinted_; }

 private:
  struct Batch;
  void hand_over();

  EventLoop& main_loop_;
  Printer& main_printer_;
  std::unique_ptr<Batch> batch_;
  std::shared_ptr<std::atomic<std::size_t>> waiting_;  // bytes that the main loop has not taken
  std::uint64_t unprinted_ = 0;
  Hook before_wait_;
};

}  // namespace netkit::echo
