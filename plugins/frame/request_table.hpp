// The requests of a client that have no answer yet.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::frame {

// Keeps requests in the order in which they were given, and, for each message id, those that were
// sent in the order in which they were sent: answers come in that order. All operations are O(1)
// (clear_sent: of what was sent), and nothing is allocated for a request once the table has been as
// full before. Beside the user's requests it knows the client's own (heartbeats, registration),
// which are forgotten with the connection.
class RequestTable {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = std::numeric_limits<Slot>::max();
  enum class Kind : std::uint8_t { user, heartbeat, registration };

  struct Entry {
    std::string wire;          // the frame as it is sent; empty for the client's own
    std::uint64_t number = 0;  // 1, 2, 3 … for the user's requests
    std::uint8_t id = 0;       // the message id, as a byte; 0 where the codec has none
    Kind kind = Kind::user;
    bool sent = false;  // on this connection or one before

   private:
    friend class RequestTable;
    Slot previous = kNone;  // in the order of the user's requests
    Slot next = kNone;      // there; in the list of free slots
    Slot next_sent = kNone;
  };

  RequestTable();

  // A slot for a user's request, at the end of the order; the caller fills in `wire`, then calls
  // commit() or discard().
  Slot prepare(std::uint8_t id);
  void commit(Slot slot);
  void discard(Slot slot);

  // The first request that was not sent on this connection, or kNone.
  Slot next_unsent() const { return unsent_; }
  void mark_sent(Slot slot);  // must be next_unsent()
  // A request of the client's own has been sent.
  void add_own(std::uint8_t id, Kind kind);

  struct Match {
    bool found = false;
    Kind kind = Kind::user;
    std::uint64_t number = 0;
  };
  // Removes the oldest request with that id that was sent and says what it was, if there is one.
  Match match(std::uint8_t id);

  // Removes the oldest of the user's requests if it was sent. Whether it did.
  bool forget_oldest();

  // The connection is over: the client's own are forgotten, the user's are unsent again. Returns
  // how many of the user's had been sent.
  std::size_t clear_sent();

  const Entry& entry(Slot slot) const { return entries_[slot]; }
  std::string& wire(Slot slot) { return entries_[slot].wire; }
  std::size_t size() const { return size_; }    // the user's requests
  std::size_t sent() const { return sent_; }    // those of them that wait for their answer
  std::size_t bytes() const { return bytes_; }  // their frames
  // How often one of them was sent that had been sent before.
  std::uint64_t resent() const { return resent_; }
  std::uint64_t forgotten() const { return forgotten_; }

  // Calls `f(const Entry&)` for the user's requests, oldest first.
  template <typename F>
  void for_each(F&& f) const {
    for (Slot slot = first_; slot != kNone; slot = entries_[slot].next) f(entries_[slot]);
  }

 private:
  // A frame's buffer above this is given back when the frame is done with.
  static constexpr std::size_t kKeptCapacity = 1024;

  Slot allocate();
  void release(Slot slot);
  void unlink(Slot slot);
  void append_sent(Slot slot);
  void remove_sent(Slot slot);

  std::vector<Entry> entries_;
  std::array<Slot, 256> sent_first_;
  std::array<Slot, 256> sent_last_;
  Slot free_ = kNone;
  Slot first_ = kNone;
  Slot last_ = kNone;
  Slot unsent_ = kNone;
  std::uint64_t number_ = 0;
  std::size_t size_ = 0;
  std::size_t sent_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t resent_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace netkit::frame
