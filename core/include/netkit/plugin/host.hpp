// The services of a running action: everything that all network tools share. [loop] unless stated
// otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/values.hpp>
#include <netkit/io/input.hpp>
#include <netkit/record/output.hpp>
#include <netkit/record/source.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/store/engine.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

enum class StopReason : std::uint8_t { signal, timeout };

class NETKIT_API Host : public Run {
 public:
  virtual Output& output() = 0;
  virtual const Values& values() const = 0;
  virtual std::string_view command() const = 0;
  bool quiet() { return log().threshold() == LogLevel::error; }
  std::optional<std::size_t> max_line() const final;

  // A server's sockets are bound: prints `listening on DESCRIPTION` a line each (`udp
  // 127.0.0.1:9000`), writes the same lines to --ready-fd and closes it, tells systemd where the
  // environment asks, starts --metrics. Once.
  virtual void ready(const std::vector<std::string>& descriptions) = 0;

  // Provides the numbers whenever they are shown. To be set before run_loop() and before the first
  // packet: from then on INT and TERM are left to the loop, so that the numbers can be shown.
  virtual void set_totals(std::function<void(Totals&)> fill) = 0;
  // Appends to the response of --metrics, after the totals: complete metric families, HELP and TYPE
  // first, with names that no total has.
  virtual void set_metrics(std::function<void(std::string&)> append) = 0;
  // Called once when INT or TERM came or --timeout passed: stop accepting, tell the peers, then
  // finish(). Without it the host finishes by itself.
  virtual void on_stop(std::function<void(StopReason)> callback) = 0;

  // Runs the loop until finish() was called; returns the status for run() to return: what finish()
  // was given, or 124 after --timeout; the host turns a bounded job's signal into 128+n.
  virtual ExitStatus run_loop() = 0;
  virtual bool finishing() const = 0;

  // Makes the engines of stores: loads the plugin that the URL's scheme names. Throws UsageError if
  // there is none, PluginError. For store::Stream; the engines are destroyed before the host.
  virtual store::MakeEngine stores() = 0;

  // Shows the totals now (also what USR1 and --stats=D do).
  virtual void show_totals() = 0;
};

// The sources that a command line names.
struct SourceDefaults {
  // The period of the ticker if neither --from nor --every is given; kNever: no ticker.
  Duration every = kNever;
  std::string message = "{date}";
  // Read stdin if no source is given.
  bool stdin_when_none = false;
};

// Opens what host.values() names (`from`, `every`, `message`, `exec`, `on-change`, `max-line`, each
// only if the action declares it). As Sources::open().
NETKIT_API std::unique_ptr<Sources> open_sources(Host& host, Sources::Handler& handler,
                                                 const SourceDefaults& defaults);

}  // namespace netkit
