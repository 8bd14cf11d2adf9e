// JsonTextParser in pieces gives what it gives at once. The first byte is the size of the pieces,
// the second the limit and, by its lowest bit, the format.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sse/json_text_parser.hpp>
#include <string>
#include <string_view>
#include <unit/sse/step_recorder.hpp>

namespace {

using netkit::sse::JsonTextParser;
using netkit::sse::ParseResult;
using netkit::sse::StepRecorder;
using netkit::sse::StreamFormat;

struct Run {
  std::vector<std::string> steps;
  ParseResult state;
  bool unfinished;
  bool operator==(const Run&) const = default;
};

Run run(std::string_view stream, std::size_t piece, std::size_t limit, StreamFormat format) {
  StepRecorder recorder;
  JsonTextParser parser(limit);
  parser.restart(format);
  ParseResult state = ParseResult::more;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    state = parser.feed(std::string(stream.substr(at, piece)), recorder);
  }
  const bool unfinished = parser.unfinished();
  parser.finish(recorder);
  return {recorder.steps, state, state == ParseResult::more && unfinished};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::size_t limit = std::max<std::size_t>(data[1], 1);
  const auto format = data[1] % 2 == 0 ? StreamFormat::json_lines : StreamFormat::json_sequence;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (run(stream, piece, limit, format) != run(stream, stream.size(), limit, format)) std::abort();
  return 0;
}
