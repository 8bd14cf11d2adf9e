#include <cstddef>
#include <sse/utf8_repair.hpp>
#include <string>
#include <string_view>

namespace netkit::sse {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What may follow a first byte: how many more bytes, and the bounds of the next one (RFC 3629,
// section 4).
struct Lead {
  unsigned more = 0;
  unsigned lower = 0x80;
  unsigned upper = 0xBF;
};

Lead lead_of(unsigned byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  if (byte >= 0xF1 && byte <= 0xF3) return {3};
  return {};
}

struct Piece {
  std::size_t length;
  bool valid;
};

// The sequence at the front of `bytes`, or the maximal subpart of one.
Piece next_piece(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (byte(0) < 0x80) return {1, true};
  Lead lead = lead_of(byte(0));
  if (lead.more == 0) return {1, false};
  for (std::size_t i = 1; i <= lead.more; ++i) {
    if (i == bytes.size() || byte(i) < lead.lower || byte(i) > lead.upper) return {i, false};
    lead.lower = 0x80;
    lead.upper = 0xBF;
  }
  return {lead.more + 1, true};
}

}  // namespace

bool repair_utf8(std::string& out, std::string_view bytes, std::size_t limit) {
  out.clear();
  while (!bytes.empty()) {
    const Piece piece = next_piece(bytes);
    out += piece.valid ? bytes.substr(0, piece.length) : kReplacement;
    if (out.size() > limit) return false;
    bytes.remove_prefix(piece.length);
  }
  return true;
}

}  // namespace netkit::sse
