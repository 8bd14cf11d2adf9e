#include "datagram/body.hpp"
#include "datagram/bytes.hpp"

#include <algorithm>

#include <netkit/datagram/chunk.hpp>

namespace netkit::datagram {

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
  if (record != 0) datagram::append(body_, record);
  chunk_record_ = record;
  chunk_messages_ = 0;
  chunk_continues_ = continues;
}

void Packer::end_chunk(bool open) {
  if (open) body_[0] = static_cast<char>(body_[0] | kOpen);
  auto chunk = std::make_shared<Chunk>();
  chunk->body.assign(body_);
  chunk->first_record = chunk_record_;
  chunk->messages = chunk_messages_;
  chunk->continues = chunk_continues_;
  chunk->open = open;
  ready_bytes_ += body_.size();
  ready_.push_back(std::move(chunk));
  body_.clear();
}

void Packer::put_length(std::size_t length, bool wide) {
  if (wide) body_.push_back(static_cast<char>(0x80 | length >> 8));
  body_.push_back(static_cast<char>(length & 0xff));
}

}  // namespace netkit::datagram
