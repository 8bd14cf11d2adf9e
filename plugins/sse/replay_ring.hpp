// The last events of `sse serve`, for readers that come back with Last-Event-ID.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace netkit::sse {

// Ids are numbers that rise, one more for each event unless a store says otherwise. An event's
// bytes are shared by the ring and all readers. [one thread]
class ReplayRing {
 public:
  using Payload = std::shared_ptr<const std::string>;

  // `keep` events (--keep; 0: none), of `max_bytes` together (--keep-bytes). `first_id`, above 0,
  // is the id of the first event; one that no other run of the server reaches tells its ids from
  // theirs.
  ReplayRing(std::size_t keep, std::size_t max_bytes, std::uint64_t first_id)
      : keep_(keep), max_bytes_(max_bytes), first_(first_id), oldest_(first_id), next_(first_id) {}

  // The id that the next event takes, so that it can be encoded with it.
  std::uint64_t next_id() const { return next_; }
  // Keeps the encoded event with next_id(), and drops the oldest ones that are too many.
  void push(Payload event) { push(next_, std::move(event)); }
  // With that id, which is next_id() or higher.
  void push(std::uint64_t id, Payload event);
  // Drops the oldest event, of which there is one.
  void drop_oldest();
  // Ids are a store's, which other servers have, too. Nothing below `id` is here, nor will be:
  // events of before are kept elsewhere, or by nobody.
  void begin_with(std::uint64_t id);

  // What a reader is owed: the events from `from` up to next_id(), after a loss of `lost_from` to
  // `lost_to` if lost_from is not 0.
  struct Replay {
    std::uint64_t from = 0;
    std::uint64_t lost_from = 0;
    std::uint64_t lost_to = 0;
  };
  // `last_event_id` is what the reader sent. Without one, it gets the `last` events as far as they
  // are kept, and what comes from now on. An id
  // that this run has not given (of another run, or no number) makes it one that has seen nothing
  // of this run, and is owed all of it. One that is yet to come from a store is another server's,
  // which is ahead: `from` is above next_id().
  Replay after(std::string_view last_event_id, std::uint64_t last = 0) const;

  // Events in one piece, up to `to` - 1.
  struct Piece {
    Payload bytes;
    std::uint64_t to = 0;
    std::uint64_t count = 0;
  };
  // The events from `from` on that are together no larger than `max_bytes`, but at least one where
  // there is one. `from` is one that is kept: oldest() <= from < next_id().
  Piece piece(std::uint64_t from, std::size_t max_bytes) const;

  // The option that has limited what is kept.
  std::string_view limit() const { return events_.size() < keep_ ? "--keep-bytes" : "--keep"; }

  // From this id on every event is kept.
  std::uint64_t oldest() const { return oldest_; }
  std::size_t size() const { return events_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t keep_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  struct Event {
    std::uint64_t id;
    Payload payload;
  };
  bool is_shared_ = false;
  std::uint64_t first_;
  std::uint64_t oldest_;
  std::uint64_t next_;
  std::deque<Event> events_;  // in the order of their ids
};

}  // namespace netkit::sse
