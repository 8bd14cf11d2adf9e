// The page that `sse serve` gives for `GET /`.
#pragma once

#include <string>
#include <string_view>

namespace netkit::sse {

// HTML that shows the stream `events` beside it, and nothing from anywhere else. What comes is
// shown as text, never as HTML. `event_type` is the type that the server gives its events, "" for
// the default; browsers tell a page only of types that it names. Any thread.
std::string stream_page(std::string_view event_type);

}  // namespace netkit::sse
