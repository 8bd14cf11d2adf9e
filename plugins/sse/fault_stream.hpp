// What `sse serve` does wrong on purpose, so that clients can be tested.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <sse/event_stream.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/http/http_routes.hpp>
#include <netkit/http/http_stream.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::sse {

struct Faults {
  std::size_t split = 0;    // no more bytes at once; 0: no limit
  std::uint64_t stall = 0;  // say nothing more after so many events of a connection; 0: never
  std::uint64_t drop = 0;   // cut the connection after so many; 0: never
  int status = 0;           // of every other answer, from the first on; 0: none
  std::optional<Duration> retry{};  // what a stream begins with

  // `split=BYTES`, `stall=EVENTS`, `drop=EVENTS`, `status=CODE`, `retry=D`. Throws UsageError.
  static Faults parse(const std::vector<std::string>& texts);
};

// Whether it is the turn of --fault status, which every other request of a stream is met by.
class FaultyStatus {
 public:
  explicit FaultyStatus(int status) : status_(status) {}
  bool answers(HttpAnswer& answer) {
    if (status_ == 0 || requests_++ % 2 != 0) return false;
    answer = HttpAnswer::text(status_, "this fault is injected (--fault)");
    answer.is_shared = true;
    return true;
  }

 private:
  int status_;
  std::uint64_t requests_ = 0;
};

// A stream of events that makes these faults; without any, it only writes. [loop]
class FaultStream : public HttpStream, private EventParser::Handler {
 public:
  // `faults` outlives it. What is put before the event after the one with the id `begin_after` is
  // left out; empty: nothing is.
  explicit FaultStream(const Faults& faults, std::string_view begin_after = {});

  void put(const HttpChunk& chunk);
  void put(std::string_view bytes);
  // Nothing that is put is sent any more, or not yet.
  bool is_skipping() const { return is_skipping_; }
  // What is put comes from the beginning again, and nothing of it is left out.
  void skip_nothing();
  bool is_stalled() const { return is_stalled_; }

 private:
  bool on_event(const Event& event) override;
  void send(std::string_view bytes);

  const Faults& faults_;
  std::string begin_after_;
  bool is_plain_;
  bool is_skipping_;
  bool is_found_ = false;  // the event with that id
  bool is_stalled_ = false;
  bool has_event_ = false;  // since the last line
  std::uint64_t events_ = 0;
  EventParser parser_;
};

}  // namespace netkit::sse
