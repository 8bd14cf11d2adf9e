// One place where records go.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/record/record.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

// [loop]
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void take(const Record& record) = 0;
  virtual void flush() = 0;
  // Whether everything accepted is written, as far as it is waited for; never after a failure.
  virtual bool is_written() const { return true; }
  // The JSON `end` record, which goes where JSON lines go.
  virtual void take_end(std::string_view line) { static_cast<void>(line); }
  // Whether accepted records are still on their way after a flush.
  virtual bool busy() const { return false; }
  // Whether a record was skipped because the sink accepts none like it, which the sink has
  // reported.
  virtual bool has_left_out() const { return false; }
  virtual void add_totals(Totals& totals) const { static_cast<void>(totals); }
  // Throws UsageError if what it sends would come back to one of these UDP sockets of this process,
  // so that one datagram would circulate forever.
  virtual void refuse_loops(std::span<const Endpoint> locals) const { static_cast<void>(locals); }
};

// Ends the run: called by a sink that can no longer work. One sentence.
using SinkFailure = std::function<void(ExitStatus status, std::string error)>;

enum class SinkKind : std::uint8_t {
  standard_output,
  none,
  file,
  udp,
  broadcast,
  multicast,
  exec,
  other,  // a stream of a store; what it is, OutputContext::open_other knows
};

// `--to` as it was typed.
struct SinkSpec {
  SinkKind kind;
  std::string target;  // what follows the colon; of another kind all of it
  // Throws UsageError.
  static SinkSpec parse(std::string_view text);
};

// The totals of a sink, `to_udp_sent`; a second one of a kind has its number in it,
// `to_udp_2_sent`. Lives as long as the sink.
class SinkTotals {
 public:
  SinkTotals(std::string_view kind, std::size_t number);
  SinkTotals(const SinkTotals&) = delete;
  SinkTotals& operator=(const SinkTotals&) = delete;

 private:
  std::string label_;  // before what refers to them
  std::string names_[3];

 public:
  const TotalDef sent;
  const TotalDef dropped;
  const TotalDef failed;
};

}  // namespace netkit
