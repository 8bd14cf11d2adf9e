// Differential: EventParser at once and in pieces against the slow reference; with a small limit,
// at once against in pieces. The first byte is the size of the pieces, the second the limit.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sse/event_stream.hpp>
#include <string>
#include <string_view>
#include <unit/sse/reference_parser.hpp>
#include <unit/sse/step_recorder.hpp>

#include <netkit/util/text.hpp>

namespace {

using netkit::sse::EventParser;
using netkit::sse::ParseResult;
using netkit::sse::StepRecorder;
using netkit::sse::reference::Result;

// What an event says of its data is true of it.
struct Checker : StepRecorder {
  bool on_event(const netkit::sse::Event& event) override {
    if (event.printable && !std::ranges::all_of(event.data, netkit::is_printable)) std::abort();
    return StepRecorder::on_event(event);
  }
};

struct Run {
  Result result;
  ParseResult state;
  bool operator==(const Run&) const = default;
};

Run run(std::string_view stream, std::size_t piece, std::size_t limit) {
  Checker sink;
  EventParser parser(limit, "start");
  ParseResult state = ParseResult::more;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const std::string copy(stream.substr(at, piece));  // dies with the call, as a buffer does
    state = parser.feed(copy, sink);
  }
  return {{sink.steps, parser.last_event_id()}, state};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::size_t limit = data[1];
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t no_limit = 4 * size + 100;
  const Run whole = run(stream, stream.size(), no_limit);
  if (whole.state != ParseResult::more) std::abort();
  if (whole.result != netkit::sse::reference::parse(stream, "start")) std::abort();
  if (run(stream, piece, no_limit) != whole) std::abort();
  if (run(stream, piece, limit) != run(stream, stream.size(), limit)) std::abort();
  return 0;
}
