// What append_event() writes is one event to the parser, with the same type, id and data. The input
// is a type, an id and data, each but the last ended by 0xFF.
#include <cstdint>
#include <cstdlib>
#include <sse/event_stream.hpp>
#include <string>
#include <string_view>
#include <unit/sse/reference_parser.hpp>
#include <unit/sse/step_recorder.hpp>

namespace {

std::string_view take_part(std::string_view& rest) {
  const std::string_view part = rest.substr(0, rest.find('\xFF'));
  rest.remove_prefix(part.size() == rest.size() ? part.size() : part.size() + 1);
  return part;
}

std::string with_line_feeds(std::string_view data) {
  std::string out;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] == '\n' && i > 0 && data[i - 1] == '\r') continue;
    out += data[i] == '\r' ? '\n' : data[i];
  }
  return out;
}

// Without the removal of a byte order mark, which only a stream's first bytes can be.
std::string decoded(std::string_view text) {
  return netkit::sse::reference::decoded("x" + std::string(text)).substr(1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  const std::string_view type = take_part(rest);
  const std::string_view id = take_part(rest);
  std::string stream;
  netkit::sse::append_event(stream, {id, type, rest});
  netkit::sse::StepRecorder sink;
  netkit::sse::EventParser parser(16 * size + 100);
  parser.feed(stream, sink);
  std::string expected_type(type);
  for (char& c : expected_type) c = c == '\r' || c == '\n' ? ' ' : c;
  if (expected_type.empty()) expected_type = "message";
  const bool id_written = id.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
  const std::string expected = "event " + decoded(expected_type) + "|" +
                               decoded(with_line_feeds(rest)) + "|" +
                               (id_written ? decoded(id) : std::string());
  if (sink.steps.size() != 1 || sink.steps[0] != expected) std::abort();
  return 0;
}
