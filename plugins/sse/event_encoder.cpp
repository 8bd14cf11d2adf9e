#include <chrono>
#include <sse/event_stream.hpp>
#include <sse/line_scan.hpp>

#include <netkit/util/format.hpp>

namespace netkit::sse {
namespace {

void append_one_line(std::string& out, std::string_view text) {
  for (const char c : text) out += c == '\r' || c == '\n' ? ' ' : c;
}

void append_data(std::string& out, std::string_view data) {
  const char* at = data.data();
  const char* const end = at + data.size();
  while (true) {
    const char* const line_end = scan_line(at, end).end;
    out += "data: ";
    out.append(at, line_end);
    out += '\n';
    if (line_end == end) return;
    at = line_end + 1;
    if (*line_end == '\r' && at != end && *at == '\n') ++at;
  }
}

}  // namespace

void append_event(std::string& out, const OutgoingEvent& event) {
  if (!event.id.empty() && is_event_id(event.id)) {
    out += "id: ";
    out += event.id;
    out += '\n';
  }
  if (!event.type.empty() && event.type != "message") {
    out += "event: ";
    append_one_line(out, event.type);
    out += '\n';
  }
  append_data(out, event.data);
  out += '\n';
}

void append_comment(std::string& out, std::string_view text) {
  out += ": ";
  append_one_line(out, text);
  out += "\n\n";
}

void append_retry(std::string& out, Duration time) {
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  out += "retry: ";
  append_unsigned(out, count > 0 ? static_cast<std::uint64_t>(count) : 0);
  out += "\n\n";
}

}  // namespace netkit::sse
