// The other direction of event_parser.hpp: a message as the bytes of an event stream.
#pragma once

#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>

namespace netkit::sse {

// Appends `id`, `event` and `data` fields and the blank line. What a reader gets is the same type
// and id, and the data with its CR and CRLF as LF (the format knows no others); bytes that are not
// UTF-8 reach it as U+FFFD. Nothing in the values becomes a field of its own: data is cut at each
// CR, LF and CRLF into `data` fields; in a type CR and LF become a space; an id with CR, LF or NUL
// is left out, as is an empty id. A type that is empty or "message" is left out, since readers
// assume it. Any thread, as all of these.
struct OutgoingEvent {
  std::string_view id;
  std::string_view type;
  std::string_view data;
};
void append_event(std::string& out, const OutgoingEvent& event);

// A comment, which keeps a connection alive and is ignored: `: text` and a blank line. CR and LF in
// the text become a space.
void append_comment(std::string& out, std::string_view text);

// `retry: N`, the reconnection time, in whole milliseconds, and a blank line.
void append_retry(std::string& out, Duration time);

}  // namespace netkit::sse
