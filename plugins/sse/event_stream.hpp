// The event stream of Server-Sent Events, as https://html.spec.whatwg.org/#parsing-an-event-stream
// and #event-stream-interpretation define it: bytes in, events out, and the other way round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sse/line_scan.hpp>
#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>

namespace netkit::sse {

// The same view, loaded as its two words. Copied as a block it is loaded at once, which has to wait
// until the two stores that made it, a moment before, have left the store buffer.
inline std::string_view by_parts(const std::string_view& view) {
  return {view.data(), view.size()};
}

// Always UTF-8, also where the stream was not. Valid during the call that gives it.
struct Event {
  std::string_view type;  // "message" when the stream names none
  std::string_view data;  // its lines joined by LF, none at the end
  std::string_view id;    // the last event id as of this event; may be empty
  bool printable;         // data is of 0x20 to 0x7E alone; false where that is not known
};

// How a stream is cut into events.
enum class StreamFormat : std::uint8_t {
  events,         // text/event-stream
  json_lines,     // application/x-ndjson, application/jsonl: a JSON text a line
  json_sequence,  // application/json-seq: each after a record separator (RFC 7464)
};

enum class ParseResult {
  more,     // all was taken
  stopped,  // the handler wanted no more
  too_big,  // an event is over the limit: too_big_reason()
};

// Push style: any cut of the stream into pieces gives the same events. A line end is acted upon as
// soon as it is seen, a CR before it is known whether LF follows. An event whose only `data` line
// lies in one piece of input is given as a view of it; nothing is allocated per event. [one thread]
class EventParser {
 public:
  // What is found, in the order of the stream. Must not call the parser back but for its accessors.
  class Handler {
   public:
    virtual ~Handler() = default;
    // False: no more events are wanted; what follows in the input is dropped.
    virtual bool on_event(const Event& event) = 0;
    // A `retry` field: the reconnection time as the server wants it, from 0 to what Duration holds.
    virtual void on_retry(Duration) {}
    // A line that begins with a colon: what follows it, without one leading space.
    virtual void on_comment(std::string_view) {}
  };

  // `max_event` limits data, type and id of one event together, and any one line; it is checked as
  // the bytes come, and memory stays within a small multiple of what came of one event.
  // `last_event_id` is what a stream begins with that continues an earlier one.
  explicit EventParser(std::size_t max_event, std::string_view last_event_id = {});

  // After stopped or too_big, everything is dropped and the same is returned until restart().
  ParseResult feed(std::string_view input, Handler& handler);

  // The stream has ended, and a new one begins: what is not a whole event is discarded, the last
  // event id stays.
  void restart();

  // Data of an event whose end has not come.
  bool unfinished() const { return has_data_ || line_.starts_with("data"); }
  // What Last-Event-ID says at a reconnect: the id as of the last blank line, dispatched or not.
  const std::string& last_event_id() const { return last_id_; }
  // All bytes ever fed: while it grows, comments and halves of lines included, the peer is alive.
  std::uint64_t bytes() const { return bytes_; }
  // Bytes of memory that are held for the event that is coming.
  std::size_t held() const;
  // "an event is larger than 16M (--max-event)"
  std::string too_big_reason() const;

 private:
  struct Line {
    std::string_view text;
    LineContent content;
    bool in_input;  // else it is line_
  };

  void keep_partial(const Line& part);
  void finish_line(const Line& part, Handler& handler);
  void take_line(const Line& line, Handler& handler);
  void take_first_line(Line line, Handler& handler);
  void take_field(const Line& line, Handler& handler);
  void take_data(const Line& line, std::string_view value);
  void take_id(const Line& line, std::string_view value);
  void dispatch(Handler& handler);
  void give(std::string_view data, bool printable, Handler& handler);
  bool is_whole_event(const char* at, const LineScan& scan, const char* end) const;
  bool decode(const Line& line, std::string_view& value);
  void own_data();
  std::size_t event_size() const;

  std::size_t max_event_;
  ParseResult state_ = ParseResult::more;
  bool first_line_ = true;
  bool skip_lf_ = false;  // the input ended with CR: LF at the front of the next belongs to it
  LineContent line_content_ = LineContent::printable;  // of line_
  bool has_data_ = false;
  bool data_printable_ = false;
  bool data_owned_ = false;  // data_view_ lies in data_, not in the input
  bool id_pending_ = false;
  std::uint64_t bytes_ = 0;
  std::string line_;  // the line that is not whole yet
  std::string_view data_view_;
  std::string data_;
  std::string type_;
  std::string id_;  // of the event that is coming, where id_pending_
  std::string last_id_;
  std::string repaired_;
};

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

// Whether `text` can be the id of an event, which is a part of one line. Any thread.
inline bool is_event_id(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace netkit::sse
