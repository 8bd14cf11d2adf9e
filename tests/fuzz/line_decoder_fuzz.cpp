// Differential: LineDecoder fed in pieces against lines cut from the whole input. The first byte
// is the limit, the second the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/codec/line_decoder.hpp>

namespace {

struct Expected {
  std::string text;
  bool too_long;
  bool terminated;
  bool operator==(const Expected&) const = default;
};

std::vector<Expected> naive(std::string_view input, std::size_t max_line) {
  std::vector<Expected> lines;
  while (!input.empty()) {
    const std::size_t end = input.find('\n');
    std::string_view text = input.substr(0, end);
    const bool terminated = end != std::string_view::npos;
    input.remove_prefix(terminated ? end + 1 : input.size());
    if (terminated && text.ends_with('\r')) text.remove_suffix(1);
    const bool too_long = text.size() > max_line;
    lines.push_back({std::string(text.substr(0, max_line)), too_long, terminated && !too_long});
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t max_line = std::max<std::size_t>(data[0], 1);
  const std::size_t piece = std::max<std::size_t>(data[1], 1);
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::vector<Expected> lines;
  const auto keep = [&](const netkit::Line& line) {
    lines.push_back({std::string(line.text), line.too_long, line.terminated});
    return lines.size() % 3 != 0;  // a sink that stops now and then loses nothing
  };
  netkit::LineDecoder decoder(max_line);
  for (std::size_t at = 0; at < input.size();) {
    at += decoder.feed(input.substr(at, piece), keep);
    if (decoder.pending() > max_line + 1) std::abort();
  }
  decoder.finish(keep);
  if (lines != naive(input, max_line)) std::abort();
  return 0;
}
