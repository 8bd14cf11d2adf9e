// Whatever a peer sends, the escaped text holds nothing that moves a cursor, and escaping it again
// changes nothing.
#include "fuzz/fuzz_check.hpp"
#include "support/reference_utf8.hpp"

#include <cstdint>
#include <string>

#include <netkit/util/text.hpp>

namespace {

bool starts_with_forbidden_pair(std::string_view text) {
  // U+0080 to U+009F.
  return text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
}

bool starts_with_forbidden_triple(std::string_view text) {
  const auto last = static_cast<unsigned char>(text[2]);
  if (text.substr(0, 2) == "\xE2\x80") return last >= 0xAA && last <= 0xAE;
  return text.substr(0, 2) == "\xE2\x81" && last >= 0xA6 && last <= 0xA9;
}

bool is_safe(std::string_view text, bool keep_lf) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool allowed_control = byte == '\t' || (keep_lf && byte == '\n');
    if ((byte < 0x20 && !allowed_control) || byte == 0x7F) return false;
    if (i + 1 < text.size() && starts_with_forbidden_pair(text.substr(i))) return false;
    if (i + 2 < text.size() && starts_with_forbidden_triple(text.substr(i))) return false;
  }
  return netkit::test::reference_is_utf8(text);
}

// Escaping loses nothing: turning each `\xhh` back gives the bytes again, where they had no `\x`.
std::string restored(std::string_view escaped) {
  std::string out;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped.substr(i, 2) != "\\x") {
      out += escaped[i];
      continue;
    }
    out += static_cast<char>(std::stoi(std::string(escaped.substr(i + 2, 2)), nullptr, 16));
    i += 3;
  }
  return out;
}

void check(std::string_view bytes, bool keep_lf) {
  const std::string escaped = netkit::escaped_text(bytes, keep_lf);
  FUZZ_CHECK(is_safe(escaped, keep_lf));
  FUZZ_CHECK(netkit::is_shown_unchanged(bytes, keep_lf) == (escaped == bytes));
  FUZZ_CHECK(netkit::escaped_text(escaped, keep_lf) == escaped);
  if (bytes.find("\\x") == std::string_view::npos) FUZZ_CHECK(restored(escaped) == bytes);
  if (is_safe(bytes, keep_lf)) FUZZ_CHECK(escaped == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes, false);
  check(bytes, true);
  // At every offset within the blocks that the fast path reads.
  check(std::string(size % 16, 'a') + std::string(bytes), false);
  return 0;
}
