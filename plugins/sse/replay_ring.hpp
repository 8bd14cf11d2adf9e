// The last events of `sse serve`, for readers that come back with Last-Event-ID.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace netkit::sse {

// Ids are the numbers 1, 2, 3, ... of this run of the server. An event's bytes are shared by the
// ring and all readers. [one thread]
class ReplayRing {
 public:
  using Payload = std::shared_ptr<const std::string>;

  // `keep` events (--keep; 0: none), of `max_bytes` together.
  ReplayRing(std::size_t keep, std::size_t max_bytes) : keep_(keep), max_bytes_(max_bytes) {}

  // The id that the next event takes, so that it can be encoded with it.
  std::uint64_t next_id() const { return next_; }
  // Keeps the encoded event with next_id(), and drops the oldest ones that are too many.
  void push(Payload event);

  // What a reader is owed: the events from `from` up to next_id(), before it the loss of
  // `lost_from` to `lost_to`, where lost_from is not 0.
  struct Replay {
    std::uint64_t from = 0;
    std::uint64_t lost_from = 0;
    std::uint64_t lost_to = 0;
  };
  // `last_event_id` is what the reader sent. Without one, it gets what comes from now on. An id
  // that this run has not given (of an earlier run, or no number) makes it a newcomer that has seen
  // nothing: it gets all that is kept, and nothing counts as lost.
  Replay after(std::string_view last_event_id) const;

  // The event; null when it is not kept any more, or has not come yet.
  Payload at(std::uint64_t id) const;

  std::uint64_t oldest() const { return next_ - events_.size(); }
  std::size_t size() const { return events_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t keep_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t next_ = 1;
  std::deque<Payload> events_;  // oldest() to next_ - 1
};

}  // namespace netkit::sse
