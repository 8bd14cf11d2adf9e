// Where an action's records go: standard output by default, or what `--to` names.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include <netkit/record/record.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

enum class Format : std::uint8_t { text, json, raw };

// All sinks of one run. [loop] emit() formats into a buffer per sink; buffers go out in one write
// before the loop waits (Host does that), or earlier when they are large. A write that fails ends
// the run: ENOSPC and the like with a message and exit 74; EPIPE on stdout quietly, as SIGPIPE
// would. Network and exec sinks drop and count instead of waiting. A pipe whose reader is slow does
// not stop the loop until a MiB waits for it.
class NETKIT_API Output {
 public:
  virtual ~Output() = default;
  virtual void emit(const Record& record) = 0;
  // False if something is left or lost: the reader of stdout has no room, or a sink has failed.
  // What was passed to a network or a command counts as written.
  virtual bool flush() = 0;
  // The same, but the reader of stdout is waited for, until the run is told to stop.
  virtual bool flush_all() = 0;
  virtual Format format() const = 0;
  // False if nobody would see a record, so that it need not be made.
  virtual bool wanted() const = 0;
  // Whether stdout takes colour (--color, NO_COLOR, a terminal, text format).
  virtual bool colored() const = 0;
  // Bytes that are not records, such as the histogram of `echo ping`, on stdout in text format
  // only; nothing else. What must not be lost in JSON goes out as a record instead; see emit().
  virtual void write_text(std::string_view text) = 0;
  // Whether the reader of stdout has no room at present. A command that can pause its peers, by the
  // flow control of the protocol, does so until on_unblocked(): the loop stays free for heartbeats.
  virtual bool blocked() const = 0;
  // Sets the callback for each time there is room again; one, `{}` for none, until
  // Host::run_loop() returns.
  virtual void on_unblocked(std::function<void()> callback) = 0;
};

}  // namespace netkit
