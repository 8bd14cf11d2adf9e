// The control channel's lines, the roster's rows, and the payloads of CONNECT and ACCEPT.
#include <cstdlib>
#include <push/control.hpp>
#include <push/payload.hpp>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netkit::push;  // NOLINT(google-build-using-namespace)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ControlLine line = parse_control(bytes);
  if (line.verb == ControlLine::Verb::subscribe && (line.port == 0 || line.name.empty())) {
    std::abort();
  }
  if ((line.verb == ControlLine::Verb::wrong) == line.error.empty()) std::abort();
  if (line.name.size() > kMaxName) std::abort();
  if (const auto request = decode_request(bytes)) {
    const std::string again = encode(*request);
    const auto same = decode_request(again);
    if (!same || same->name != request->name || same->since != request->since) std::abort();
  }
  if (const auto welcome = decode_welcome(bytes); welcome && encode(*welcome) != bytes) {
    std::abort();
  }
  if (const auto row = parse_status_row(bytes); row && row->name.empty()) std::abort();
  // Whatever a name holds, a row is one line, and the name can be read again.
  if (const auto name = clean_name(bytes)) {
    RosterRow row;
    row.name = *name;
    std::string text;
    append_status_row(text, row);
    if (text.find('\n') != text.size() - 1) std::abort();
    text.pop_back();
    const auto again = parse_status_row(text);
    if (!again || again->name != *name) std::abort();
  }
  return 0;
}
