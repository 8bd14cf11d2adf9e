// Messages packed into the bodies of DATA. A body is encoded once and shared by every session it
// goes to, each of which puts only a header of its own in front. Byte 0: the kind in the upper
// half, flags in the lower. Then
//   bundle  [number of the first message, 8 bytes, if kNumbered] entries: length, bytes
//   gap     from, to (8 bytes each, 0: none), count of messages without number (4 bytes)
//   end     code (1 byte), text to the end
// A length is one byte below 128, or two with the top bit set.
#pragma once

#include "datagram/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/options.hpp>
#include <netkit/datagram/output_queue.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

inline constexpr std::size_t kMaxBody = kMaxDatagram - kHeaderSize;

// One body, immutable once it is shared. A message that does not fit goes on in the next body.
struct Chunk : ChunkCount {
  std::uint32_t messages = 0;  // in it, whole or in part
  std::string body;            // as on the wire
  std::uint64_t first_record =
      0;  // number of its first message, begun here or not; 0: not numbered
  // What each session that it waits for is charged of its bytes (Options::max_queued); 0: it is
  // everybody's. Set before the first of them has it.
  mutable std::uint32_t charge = 0;
  bool continues = false;  // the first began in the chunk before
  bool open = false;       // the last goes on in the next chunk
  bool control = false;    // holds no messages: a gap or the end

  std::uint64_t last_record() const { return first_record + messages - 1; }
  std::uint32_t begun() const { return messages - (continues ? 1 : 0); }
  std::uint32_t ended() const { return messages - (open ? 1 : 0); }
};

inline ChunkRef::ChunkRef(std::unique_ptr<Chunk> made) : chunk_(made.release()) {
  ++chunk_->holders;
}
inline const Chunk& ChunkRef::operator*() const {
  return static_cast<const Chunk&>(*chunk_);
}
inline const Chunk* ChunkRef::operator->() const {
  return static_cast<const Chunk*>(chunk_);
}

// Charges so many sessions, which alone are to get these, with them.
NETKIT_API void charge(std::span<const ChunkRef> chunks, std::size_t sessions);

// Packs messages into chunks. All but the last chunk of a flush() are exactly max_body long, so
// that a queue of them goes out by UDP_SEGMENT. [one thread] Allocates two blocks per chunk,
// nothing per message.
class NETKIT_API Packer {
 public:
  struct Options {
    std::size_t max_body = kMaxBody;
    std::size_t max_message = 65536;
    // The number of the first message; each gets the next. 0: messages have no numbers (private
    // ones, those of a client).
    std::uint64_t first_record = 1;
  };
  Packer();
  explicit Packer(const Options& options);

  // False, and nothing happens, when it is longer than max_message. May be empty. Chunks that
  // flush() has returned are forgotten here.
  bool append(std::string_view message);
  // Ends the chunk begun and returns those of all messages since the last flush(), in order. Valid
  // until the next append(). Give all of them to a session before anything else: a message may be
  // cut between two.
  std::span<const ChunkRef> flush();
  // The number that the next message gets, above those before; there are none since the last
  // flush().
  void go_on_with(std::uint64_t record) { next_record_ = record; }

  bool empty() const { return pending_messages_ == 0; }
  std::size_t pending_messages() const { return pending_messages_; }  // since the last flush()
  std::size_t pending_bytes() const { return ready_bytes_ + body_.size(); }
  std::uint64_t next_record() const { return next_record_; }  // what the next message gets; 0: none

 private:
  void begin_chunk(std::uint64_t record, bool continues);
  void end_chunk(bool open);
  void put_length(std::size_t length, bool wide);

  Options options_;
  std::uint64_t next_record_;
  std::string body_;
  std::uint64_t chunk_record_ = 0;
  std::uint32_t chunk_messages_ = 0;
  bool chunk_continues_ = false;
  std::vector<ChunkRef> ready_;
  std::size_t ready_bytes_ = 0;
  std::size_t pending_messages_ = 0;
  bool flushed_ = false;
};

// The last `keep` numbered messages of a channel, for newcomers and those who come back. Holds
// whole chunks, so a few more than `keep`. [one thread]
class NETKIT_API ChunkRing {
 public:
  explicit ChunkRing(std::size_t keep, std::size_t keep_bytes = 64u << 20);
  void add(std::span<const ChunkRef> chunks);  // as Packer::flush() gave them, without a break
  // The chunks that hold message `record` and all after it; everything if it is older than what is
  // kept. The first may begin with older messages, which a receiver ignores that was told where to
  // begin (Client::expect_record).
  std::vector<ChunkRef> since(std::uint64_t record) const;
  std::uint64_t first_record() const;  // the oldest that is whole; 0: empty
  std::uint64_t last_record() const;   // the newest; 0: empty
  std::size_t records() const { return records_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void drop_front();
  std::deque<ChunkRef> chunks_;
  std::size_t keep_;
  std::size_t keep_bytes_;
  std::size_t records_ = 0;  // begun in chunks_
  std::size_t bytes_ = 0;
};

enum class BodyKind : std::uint8_t { bundle = 0, gap = 1, end = 2 };
inline constexpr std::uint8_t kNumbered = 0x01;
inline constexpr std::uint8_t kContinues = 0x02;
inline constexpr std::uint8_t kOpen = 0x04;

struct Bundle {
  std::uint64_t first_record = 0;  // 0: not numbered
  bool continues = false;
  bool open = false;
  std::string_view entries;
};

inline BodyKind kind_of(std::string_view body) {
  return static_cast<BodyKind>(static_cast<std::uint8_t>(body[0]) >> 4);
}

// Takes one entry off the front; false at the end, or when the length does not fit.
NETKIT_API bool next_entry(std::string_view& entries, std::string_view& entry);

// False for what is not a body of this version: an unknown kind or flag, a length beyond the end,
// no entry at all, number 0.
NETKIT_API bool is_valid_body(std::string_view body);
// Of a valid body of that kind.
Bundle read_bundle(std::string_view body);
Gap read_gap(std::string_view body);
Bye read_end(std::string_view body);

// Whether `next`, which comes after `chunk`, can go out in one body with it of at most `max_body`
// bytes.
bool can_join(const Chunk& chunk, const Chunk& next, std::size_t max_body);
void join(Chunk& chunk, const Chunk& next);

NETKIT_API ChunkRef make_gap(const Gap& gap);
NETKIT_API ChunkRef make_end(std::uint8_t code, std::string_view text);

}  // namespace netkit::datagram
