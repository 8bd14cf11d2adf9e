// How a run reports its totals: a line for people, the `end` record, and what Prometheus scrapes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/http/http_server.hpp>
#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// The totals of some time before, for rates.
struct TotalsBefore {
  Totals totals{};
  double seconds = 0;  // since then; 0: no rates
};

// Any thread, as all here. `received 5, sent 5, loss 0.25`; empty where there is none. With rates
// each counter's follows: `received 5, received per s 2.5`.
NETKIT_API std::string totals_line(const Totals& totals, const TotalsBefore& before = {});

// For people: without zeros, at most so many of them, with separators and units, of which times
// share one: `received 1,234, bytes 53 kB, p50 83 µs`. `utf8`: µs instead of us.
NETKIT_API std::string totals_sentence(const Totals& totals, std::size_t most, bool utf8);

// Whether something that was counted was lost or thrown away.
NETKIT_API bool has_losses(const Totals& totals);

// A line of JSON with its newline: {"type":"stats","time":"…","received":5,"received_per_s":2.5}
NETKIT_API std::string stats_record(const Totals& totals, const TotalsBefore& before,
                                    WallTime time);

// The whole line with its newline: {"type":"end","ok":true,"received":5}; with "ok":false and
// "error" where `error` is not empty.
NETKIT_API std::string end_record(const Totals& totals, std::string_view error);

// What a scrape says of the process.
struct ProcessInfo {
  std::string_view command;
  std::string_view action;
  WallTime started;
  std::uint64_t out_of_memory = 0;
};

// Version 0.0.4 of the format: netkit_build_info, netkit_out_of_memory_total,
// process_start_time_seconds, then a family for each total or MetricDef, with HELP and TYPE as
// declared. A total that nothing declares is left out. Any thread.
NETKIT_API std::string metrics_text(const Totals& totals, const ProcessInfo& process);

// [loop] Answers `GET /metrics`, one request a connection. A handful of connections at a time, each
// for a few seconds and with a short request, whatever a client does.
class NETKIT_API MetricsServer {
 public:
  // `address` as a server's: `PORT` is loopback, `:PORT` every interface. A name in it is one that
  // requests may have as their Host, as own_hosts() has it. `text` is asked for each answer. Throws
  // Error.
  MetricsServer(EventLoop& loop, const std::string& address, std::function<std::string()> text);
  std::vector<Endpoint> locals() const { return http_.tcp().locals(); }

 private:
  Log silent_{"", LogLevel::error};  // what goes on here is not what the command is for
  AddressSpec address_;
  HttpServer http_;
};

}  // namespace netkit
