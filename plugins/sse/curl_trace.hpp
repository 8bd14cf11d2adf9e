// What curl sends and receives, for -vv and -vvv.
#pragma once

#include <string_view>

#include <curl/curl.h>

#include <netkit/util/log.hpp>

namespace netkit::sse {

// Lets `easy` say, on a log that outlives its transfers and has level protocol on, the lines of
// requests' and answers' heads, and at level hex the bodies' bytes. The values of headers that
// carry credentials are left out.
void trace_curl(CURL* easy, const Log& log);

// One line of a head as it may be shown: `authorization: ...` without its value.
std::string_view shown_header(std::string_view line);

}  // namespace netkit::sse
