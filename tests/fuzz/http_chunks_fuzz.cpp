// A body that is written in chunks, cut anywhere, is read back whole by a parser that knows nothing
// but the grammar (RFC 9112, section 7.1), and by HttpChunkDecoder in pieces. An input is a script:
// pieces of the body, each with a byte that says how it is written, then the size of the pieces.
#include "fuzz/fuzz_check.hpp"
#include "fuzz/script.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/http/http1.hpp>

namespace {

using netkit::HttpChunk;
using netkit::HttpChunkDecoder;

// chunked-body = *chunk last-chunk trailer-section CRLF, without extensions and trailers. None of
// what is anything else, or more.
std::optional<std::string> read_by_grammar(std::string_view text) {
  std::string body;
  while (true) {
    std::size_t size = 0;
    std::size_t digits = 0;
    for (; digits < text.size(); ++digits) {
      const auto value = std::string_view("0123456789abcdef").find(text[digits]);
      if (value == std::string_view::npos) break;
      size = size * 16 + value;
    }
    const bool has_size = digits > 0 && (digits == 1 || text[0] != '0');
    if (!has_size || text.substr(digits, 2) != "\r\n") return std::nullopt;
    text.remove_prefix(digits + 2);
    if (size > text.size() || text.substr(size, 2) != "\r\n") return std::nullopt;
    body += text.substr(0, size);
    text.remove_prefix(size + 2);
    if (size == 0) break;
  }
  if (!text.empty()) return std::nullopt;
  return body;
}

std::string decoded(std::string_view text, std::size_t piece) {
  HttpChunkDecoder decoder;
  std::string body;
  while (!text.empty()) {
    FUZZ_CHECK(decoder.state() == HttpChunkDecoder::State::more);
    const std::string_view part = text.substr(0, piece);
    FUZZ_CHECK(decoder.feed(part, [&body](std::string_view bytes) { body += bytes; }) ==
               part.size());
    text.remove_prefix(part.size());
  }
  FUZZ_CHECK(decoder.state() == HttpChunkDecoder::State::done);
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  netkit::fuzz::Script script(data, size);
  const std::size_t piece = std::max<std::size_t>(script.byte(), 1);
  std::string wire;
  std::string body;
  while (!script.done()) {
    const std::uint8_t how = script.byte();
    std::string text(script.text());
    // Of sizes whose hexadecimal has more digits, too.
    if (how >= 0x80) text.resize(text.size() * how, 'x');
    if (text.empty()) continue;
    body += text;
    if (how % 2 == 0) {
      netkit::append_chunk(wire, text);
    } else {
      const HttpChunk chunk(text);
      FUZZ_CHECK(chunk.body() == text);
      wire += *chunk.encoded();
    }
  }
  wire += netkit::kLastChunk;
  FUZZ_CHECK(read_by_grammar(wire) == body);
  FUZZ_CHECK(decoded(wire, piece) == body);
  return 0;
}
