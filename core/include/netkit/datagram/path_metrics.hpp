// What the paths of a server's sessions are like, for people and for --metrics.
#pragma once

#include <string>
#include <vector>

#include <netkit/datagram/options.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// Summaries over `paths`, each with its median, 90th and 99th percentile: netkit_path_rtt_seconds,
// netkit_path_window_datagrams, netkit_path_rate_datagrams_per_second and
// netkit_path_retransmitted_datagrams. What is not known of a path yet is left out. For
// Host::set_metrics(). Any thread.
NETKIT_API void append_path_metrics(std::string& out, const std::vector<PathStatus>& paths);

// `round trip 40.5ms, window 64, 1250 datagrams a second, 3 sent again`
NETKIT_API std::string path_text(const PathStatus& path);

}  // namespace netkit::datagram
