#include "datagram/chunk.hpp"

#include <algorithm>
#include <limits>

#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {
namespace {

using big_endian::append;
using big_endian::get;

constexpr std::size_t kGapSize = 21;

bool is_valid_bundle(std::string_view body, std::uint8_t flags) {
  if (flags > (kNumbered | kContinues | kOpen)) return false;
  std::size_t head = 1;
  if (flags & kNumbered) {
    head = 9;
    // The last number must not overflow: no count of messages ever comes near.
    if (body.size() < head) return false;
    const auto first = get<std::uint64_t>(body.data() + 1);
    if (first == 0 || first > std::numeric_limits<std::uint64_t>::max() / 2) return false;
  }
  std::string_view entries = body.substr(head);
  if (entries.empty()) return false;
  std::string_view entry;
  while (!entries.empty()) {
    if (!next_entry(entries, entry)) return false;
  }
  return true;
}

bool is_valid_gap(std::string_view body) {
  if (body.size() != kGapSize) return false;
  const Gap gap = read_gap(body);
  if (gap.to > std::numeric_limits<std::uint64_t>::max() / 2) return false;
  if ((gap.from == 0) != (gap.to == 0) || gap.from > gap.to) return false;
  return gap.from != 0 || gap.unnumbered != 0;
}

// Of a bundle: what is before its entries.
std::size_t head_size(const Chunk& bundle) {
  return bundle.first_record == 0 ? 1 : 9;
}

ChunkRef control(std::string body) {
  auto chunk = std::make_unique<Chunk>();
  chunk->body = std::move(body);
  chunk->control = true;
  return ChunkRef(std::move(chunk));
}

}  // namespace

void ChunkRef::destroy() {
  delete static_cast<const Chunk*>(std::exchange(chunk_, nullptr));
}

bool next_entry(std::string_view& entries, std::string_view& entry) {
  if (entries.empty()) return false;
  std::size_t length = static_cast<unsigned char>(entries[0]);
  std::size_t head = 1;
  if (length >= 0x80) {
    if (entries.size() < 2) return false;
    length = (length & 0x7f) << 8 | static_cast<unsigned char>(entries[1]);
    head = 2;
  }
  if (entries.size() - head < length) return false;
  entry = entries.substr(head, length);
  entries.remove_prefix(head + length);
  return true;
}

bool is_valid_body(std::string_view body) {
  if (body.empty()) return false;
  const auto flags = static_cast<std::uint8_t>(body[0] & 0x0f);
  switch (kind_of(body)) {
    case BodyKind::bundle:
      return is_valid_bundle(body, flags);
    case BodyKind::gap:
      return flags == 0 && is_valid_gap(body);
    case BodyKind::end:
      return flags == 0 && body.size() >= 2 && body.size() <= 2 + kMaxReason;
  }
  return false;
}

Bundle read_bundle(std::string_view body) {
  const auto flags = static_cast<std::uint8_t>(body[0]);
  Bundle bundle;
  bundle.continues = (flags & kContinues) != 0;
  bundle.open = (flags & kOpen) != 0;
  if (flags & kNumbered) bundle.first_record = get<std::uint64_t>(body.data() + 1);
  bundle.entries = body.substr((flags & kNumbered) ? 9 : 1);
  return bundle;
}

Gap read_gap(std::string_view body) {
  return {get<std::uint64_t>(body.data() + 1), get<std::uint64_t>(body.data() + 9),
          get<std::uint32_t>(body.data() + 17)};
}

Bye read_end(std::string_view body) {
  return {static_cast<std::uint8_t>(body[1]), body.substr(2)};
}

bool can_join(const Chunk& chunk, const Chunk& next, std::size_t max_body) {
  if (chunk.control || next.control || chunk.open || next.continues) return false;
  if (chunk.body.size() + next.body.size() - head_size(next) > max_body) return false;
  return next.first_record == (chunk.first_record == 0 ? 0 : chunk.last_record() + 1);
}

void join(Chunk& chunk, const Chunk& next) {
  chunk.body.append(next.body, head_size(next));
  chunk.messages += next.messages;
  chunk.open = next.open;
  if (next.open) chunk.body[0] = static_cast<char>(chunk.body[0] | kOpen);
}

ChunkRef make_gap(const Gap& gap) {
  std::string body(1, static_cast<char>(static_cast<int>(BodyKind::gap) << 4));
  append(body, gap.from);
  append(body, gap.to);
  append(body, static_cast<std::uint32_t>(std::min<std::uint64_t>(gap.unnumbered, 0xffffffff)));
  return control(std::move(body));
}

ChunkRef make_end(std::uint8_t code, std::string_view text) {
  std::string body(1, static_cast<char>(static_cast<int>(BodyKind::end) << 4));
  body.push_back(static_cast<char>(code));
  body.append(text.substr(0, kMaxReason));
  return control(std::move(body));
}

Packer::Packer() : Packer(Options{}) {}

Packer::Packer(const Options& options) : options_(options), next_record_(options.first_record) {
  options_.max_body = std::clamp<std::size_t>(options_.max_body, 16, kMaxBody);
  body_.reserve(options_.max_body);
}

bool Packer::append(std::string_view message) {
  if (message.size() > options_.max_message) return false;
  if (flushed_) {
    ready_.clear();
    ready_bytes_ = 0;
    flushed_ = false;
  }
  if (body_.empty()) begin_chunk(next_record_, false);
  for (;;) {
    const std::size_t room = options_.max_body - body_.size();  // at least 1
    const bool whole = message.size() + (message.size() < 0x80 ? 1 : 2) <= room;
    // A piece fills the chunk to the last byte, so that all full chunks are of one size.
    const bool wide = whole ? message.size() >= 0x80 : room > 0x80;
    const std::size_t piece = whole ? message.size() : room - (wide ? 2 : 1);
    put_length(piece, wide);
    body_.append(message.substr(0, piece));
    message.remove_prefix(piece);
    ++chunk_messages_;
    if (whole) break;
    end_chunk(true);
    begin_chunk(next_record_, true);
  }
  if (next_record_ != 0) ++next_record_;
  ++pending_messages_;
  if (body_.size() == options_.max_body) end_chunk(false);
  return true;
}

std::span<const ChunkRef> Packer::flush() {
  if (flushed_) ready_.clear();
  if (!body_.empty()) end_chunk(false);
  flushed_ = true;
  pending_messages_ = 0;
  ready_bytes_ = 0;
  return ready_;
}

void Packer::begin_chunk(std::uint64_t record, bool continues) {
  const int flags = (record != 0 ? kNumbered : 0) | (continues ? kContinues : 0);
  body_.push_back(static_cast<char>(flags));
  if (record != 0) big_endian::append(body_, record);
  chunk_record_ = record;
  chunk_messages_ = 0;
  chunk_continues_ = continues;
}

void Packer::end_chunk(bool open) {
  if (open) body_[0] = static_cast<char>(body_[0] | kOpen);
  auto chunk = std::make_unique<Chunk>();
  chunk->body.assign(body_);
  chunk->first_record = chunk_record_;
  chunk->messages = chunk_messages_;
  chunk->continues = chunk_continues_;
  chunk->open = open;
  ready_bytes_ += body_.size();
  ready_.emplace_back(std::move(chunk));
  body_.clear();
}

void Packer::put_length(std::size_t length, bool wide) {
  if (wide) body_.push_back(static_cast<char>(0x80 | length >> 8));
  body_.push_back(static_cast<char>(length & 0xff));
}

void charge(std::span<const ChunkRef> chunks, std::size_t sessions) {
  for (const ChunkRef& chunk : chunks) {
    chunk->charge =
        static_cast<std::uint32_t>(chunk->body.size() / std::max<std::size_t>(sessions, 1));
  }
}

ChunkRing::ChunkRing(std::size_t keep, std::size_t keep_bytes)
    : keep_(keep), keep_bytes_(keep_bytes) {}

void ChunkRing::add(std::span<const ChunkRef> chunks) {
  for (const ChunkRef& chunk : chunks) {
    if (chunk->first_record == 0) continue;
    chunks_.push_back(chunk);
    records_ += chunk->begun();
    bytes_ += chunk->body.size();
  }
  while (!chunks_.empty() &&
         (records_ - chunks_.front()->begun() >= keep_ || bytes_ > keep_bytes_)) {
    drop_front();
  }
  // The rest of a message whose beginning is gone is useless.
  while (!chunks_.empty() && chunks_.front()->begun() == 0) drop_front();
}

void ChunkRing::drop_front() {
  records_ -= chunks_.front()->begun();
  bytes_ -= chunks_.front()->body.size();
  chunks_.pop_front();
}

std::vector<ChunkRef> ChunkRing::since(std::uint64_t record) const {
  // The first chunk in which a message of this number or a later one begins.
  const auto begins = [&](const ChunkRef& chunk) {
    return chunk->begun() > 0 && chunk->last_record() >= record;
  };
  return {std::find_if(chunks_.begin(), chunks_.end(), begins), chunks_.end()};
}

std::uint64_t ChunkRing::first_record() const {
  if (chunks_.empty()) return 0;
  const Chunk& front = *chunks_.front();
  return front.first_record + (front.continues ? 1 : 0);
}

std::uint64_t ChunkRing::last_record() const {
  return chunks_.empty() ? 0 : chunks_.back()->last_record();
}

}  // namespace netkit::datagram
