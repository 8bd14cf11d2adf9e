// The terminal's modes, put back on every way out.
#pragma once

#include <netkit/util/export.hpp>

namespace netkit {

// Remembers the modes of standard input's terminal, and puts them back when it is destroyed, when
// restore() is called, and when a signal ends the process that nobody else handles (QUIT, HUP,
// ABRT, SEGV, BUS, FPE, ILL). One at a time in a process.
class NETKIT_API TerminalGuard {
 public:
  TerminalGuard();
  ~TerminalGuard();
  TerminalGuard(const TerminalGuard&) = delete;
  TerminalGuard& operator=(const TerminalGuard&) = delete;
  void restore() const;
};

// Whether Ctrl-C is a byte that is read, instead of the signal INT.
void read_interrupt_key(bool as_byte);

// Whether the terminal collects lines itself: nobody has prepared it for editing.
bool reads_whole_lines();

}  // namespace netkit
