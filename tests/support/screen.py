"""What a person sees: a terminal emulator at the pseudo-terminal of a program under test."""

import fcntl
import struct
import termios
import time

import pyte

from netkit import DEADLINE, Timeout


class Screen:
    """The screen of a Terminal (netkit.py), whose output it takes over."""

    def __init__(self, terminal, rows=24, columns=80):
        self.terminal = terminal
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._fed = 0

    @property
    def lines(self):
        """The rows with something on them, without the blanks at their ends."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    @property
    def cursor(self):
        """(column, text of the row it is on)."""
        return self.screen.cursor.x, self.screen.display[self.screen.cursor.y].rstrip()

    def wait(self, condition, deadline=DEADLINE):
        """Until `condition` (a function of this, or the last rows as a list) holds; gives the rows."""
        end = time.monotonic() + deadline
        while True:
            self._feed()
            if condition(self) if callable(condition) else self.lines[-len(condition):] == condition:
                return self.lines
            left = end - time.monotonic()
            if left <= 0 or self.terminal.out.closed:
                raise Timeout(f"not on the screen: {condition}; it shows:\n" + "\n".join(self.lines) + f"\ncursor {self.cursor}")
            self.terminal.out._pump(min(left, 0.2))

    def resize(self, rows, columns):
        """As a window that is drawn larger or smaller; its program gets SIGWINCH."""
        self._feed()
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _feed(self):
        data = self.terminal.out.data[self._fed:]
        self._fed += len(data)
        self._stream.feed(data)
