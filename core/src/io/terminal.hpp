// The terminal's modes, and how lines are shown in it.
#pragma once

#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// Remembers the modes of standard input's terminal, and puts them back when it is destroyed, when
// restore() is called, and when a signal ends the process that nobody else handles (QUIT, HUP,
// ABRT, SEGV, BUS, FPE, ILL). One at a time in a process.
class TerminalGuard {
 public:
  TerminalGuard();
  ~TerminalGuard();
  TerminalGuard(const TerminalGuard&) = delete;
  TerminalGuard& operator=(const TerminalGuard&) = delete;
  void restore() const;
};

// What the guard does, if there is one; also from a signal handler.
void restore_terminal_modes();

// Whether Ctrl-C is a byte that is read, instead of the signal INT.
void read_interrupt_key(bool as_byte);

// Whether the terminal collects lines itself: nobody has prepared it for editing.
bool reads_whole_lines();

// How many rows the cursor is below the first one once `text` was typed at a terminal `columns`
// (at least 2) wide. Control characters take two columns, as readline shows them; a wide character
// that does not fit begins the next row. By the characters of the locale (LC_CTYPE). [one thread]
NETKIT_API int wrapped_rows(std::string_view text, int columns);

}  // namespace netkit
