// A recording in pieces reads as it does at once, and what was read is written and read the same.
// The first byte is the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <netkit/record/recording.hpp>

namespace {

using netkit::RecordingReader;

struct Outcome {
  std::string written;
  RecordingReader::Fault fault;
};

Outcome read(std::string_view text, std::size_t piece) {
  Outcome outcome{};
  RecordingReader reader("frame", 300, "--max-frame");
  std::uint64_t run = 0;
  const auto keep = [&](const netkit::RecordedBytes& record) {
    for (; run < record.run; ++run) netkit::append_recording_header(outcome.written, "frame");
    netkit::append_recorded(outcome.written, record.offset, record.connection, record.direction,
                            record.bytes);
  };
  for (std::size_t at = 0; at < text.size(); at += piece) reader.feed(text.substr(at, piece), keep);
  outcome.fault = reader.finish(keep);
  if (reader.fault_text().empty()) std::abort();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(text, std::max<std::size_t>(text.size(), 1));
  const Outcome pieces = read(text, std::max<std::size_t>(data[0], 1));
  if (whole.written != pieces.written || whole.fault != pieces.fault) std::abort();
  if (!whole.written.empty() && read(whole.written, 64).written != whole.written) std::abort();
  return 0;
}
