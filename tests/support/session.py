"""Sessions at a prompt that a document shows, run as they stand there."""

import os
import re

from netkit import Process, Timeout, clean_environment, free_port, netkit_path

PREFIX = os.environ.get("NETKIT_PREFIX", "")

# Ports that documents name; a test takes free ones.
PORTS = r"\b(7000|7700|8000|8086|9000|9089|9997|9998|9999)\b"


class Session:
    """A bash without a terminal, whose two outputs are one. Numbers may differ from what is expected, words may not."""

    def __init__(self, folder):
        env = clean_environment()
        env.update({"PATH": os.path.dirname(netkit_path()) + ":/usr/bin:/bin", "HOME": str(folder),
                    "CMAKE_PREFIX_PATH": PREFIX, "CMAKE_BUILD_TYPE": "Debug"})
        self.process = Process(["bash"], env=env, cwd=folder)
        self.process.write("exec 2>&1\n")
        self.ports = {}

    def free_port(self, match):
        if match[0] not in self.ports:
            self.ports[match[0]] = free_port()
        return str(self.ports[match[0]])

    @staticmethod
    def pattern(lines):
        return "".join(re.sub(r"\d+", r"\\d+", re.escape(line)) + "\n" for line in lines).encode()

    def run(self, command):
        """What it prints and its status, in time for a compiler."""
        self.begin(command)
        self.process.write("echo \"<done $?>\"\n")
        try:
            end = self.process.out.expect(rb"(.*?)<done (\d+)>\n", 400)
        except Timeout as late:
            raise AssertionError(f"{command}: {late}") from late
        return end.group(1), int(end.group(2))

    def begin(self, command):
        self.process.write(re.sub(PORTS, self.free_port, command) + "\n")

    def step(self, command, expected):
        if command.endswith("&"):
            self.begin(command)
            for line in expected:  # a server may say more later
                self.process.out.expect(b"^" + self.pattern([line]))
            return
        shown, _ = self.run(command)
        # Two outputs have no order between them.
        shown = sorted(re.sub(rb"\d+", b"0", line) for line in shown.splitlines())
        wanted = sorted(re.sub(rb"\d+", b"0", line.encode()) for line in expected)
        assert shown == wanted, command

    def end(self):
        self.process.write("kill $(jobs -p); wait\n")
        self.process.close_stdin()
        self.process.wait()
        self.process.cleanup()
