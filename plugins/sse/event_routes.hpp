// What `sse serve` answers to which path: the stream, the page that shows it, or nothing.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <netkit/http/http_routes.hpp>

namespace netkit::sse {

// Makes the stream of a reader that has seen the event with this id, "" for none, and what the
// answer's body begins with.
using MakeStream = std::function<void(std::string_view last_event_id, HttpAnswer& answer)>;

// `GET /` is the page, or the stream for who accepts text/event-stream. Every other path is the
// stream, whatever people call it and whatever a proxy puts before it, but for what browsers and
// crawlers ask every server for: icons, robots.txt and /.well-known/ are 404. The stream is shared
// with the origins of `options`. Any thread.
HttpRoutes event_routes(HttpRoutes::Options options, std::string_view event_type, MakeStream make);

// HTML that shows the stream `events` beside it, and nothing from anywhere else. What comes is
// shown as text, never as HTML. `event_type` is the type that the server gives its events, "" for
// the default; browsers tell a page only of types that it names.
std::string stream_page(std::string_view event_type);

// The id to replay after: the Last-Event-ID header, else the `lastEventId` of the query (for
// readers that cannot set headers). Empty: none.
std::string last_event_id_of(const HttpRequest& request);

}  // namespace netkit::sse
