#include "datagram/body.hpp"

#include "datagram/bytes.hpp"

#include <algorithm>
#include <limits>

namespace netkit::datagram {
namespace {

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

ChunkRef control(std::string body) {
  auto chunk = std::make_shared<Chunk>();
  chunk->body = std::move(body);
  chunk->control = true;
  return chunk;
}

}  // namespace

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

}  // namespace netkit::datagram
