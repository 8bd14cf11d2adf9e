// What libcurl's errors mean to a stream.
#pragma once

#include <sse/stream_life.hpp>
#include <string_view>

#include <curl/curl.h>

#include <netkit/util/clock.hpp>

namespace netkit::sse {

// A proxy that does not let through to the server: its answer to CONNECT. Any thread.
Failure failure_of_proxy(long status);

// The same of a SOCKS proxy, by CURLINFO_PROXY_ERROR; `detail` as below. Any thread.
Failure failure_of_socks(long answer, std::string_view detail);

// `detail` is CURLOPT_ERRORBUFFER's text, `os_error` CURLINFO_OS_ERRNO, `first` whether no request
// of this stream had succeeded before. Any thread.
Failure failure_of(CURLcode code, std::string_view detail, int os_error, bool first,
                   Duration connect_timeout);

}  // namespace netkit::sse
