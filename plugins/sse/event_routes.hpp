// What `sse serve` answers to which path: the stream, the page that shows it, or nothing.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <netkit/http/http_routes.hpp>

namespace netkit::sse {

// What the server makes of requests for the stream. A request whose token does not do gets 401.
struct EventActions {
  // Makes the stream of a reader and what the answer's body begins with, or another answer.
  std::function<void(const HttpRequest& request, HttpAnswer& answer)> read;
  // Takes the body of a POST as an event; none: there is no POST.
  HttpRoutes::Route publish{};
  std::string read_token{};            // that readers have to bear; empty: none
  std::string write_token{};           // that publishers have to send
  std::function<void()> on_refused{};  // a token that does not do, for the count
};

// `GET /` is the page, or the stream for who accepts text/event-stream. Every other path is the
// stream, whatever people call it and whatever a proxy puts before it, but for what browsers and
// crawlers ask every server for: icons, robots.txt and /.well-known/ are 404. The stream is shared
// with the origins of `options`. `event_type` and `page_stream` are those of stream_page(). Any
// thread.
HttpRoutes event_routes(HttpRoutes::Options options, std::string_view event_type,
                        std::string_view page_stream, EventActions actions);

// HTML that shows `stream`, a relative URL, and nothing from anywhere else. What comes is shown as
// text, never as HTML. `event_type` is the type that the server gives its events, "" for the
// default; browsers tell a page only of types that it names.
std::string stream_page(std::string_view event_type, std::string_view stream);

// The id to replay after: the Last-Event-ID header, else the `lastEventId` of the query (for
// readers that cannot set headers). Empty: none.
std::string last_event_id_of(const HttpRequest& request);

}  // namespace netkit::sse
