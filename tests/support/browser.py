"""Headless Chromium, driven over the DevTools protocol by a pair of pipes: no port, nothing left behind."""

import fcntl
import json
import os
import select
import tempfile
import time

from netkit import DEADLINE, Timeout

FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --disable-dev-shm-usage --no-proxy-server --remote-debugging-pipe").split()
# A browser takes its time where others load the machine.
PATIENCE = 3 * DEADLINE


class Page:
    """One page of one browser. `netkit` is the fixture, which ends it; `folder` an empty one for its profile."""

    def __init__(self, netkit, folder, url="about:blank", *flags):
        self.data, self.number = b"", 0
        # What it leaves in the folder of temporary files goes with that; a socket in it needs a short name.
        self.temporary = tempfile.TemporaryDirectory(prefix="page")
        theirs_in, self.to = os.pipe()
        self.source, theirs_out = os.pipe()
        # The browser reads descriptor 3 and writes 4; bash puts them there, from numbers that are surely others.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 50) for fd in (theirs_in, theirs_out)]
        self.browser = netkit.start(argv=["bash", "-c", f'exec chromium "$@" 3<&{high[0]} 4>&{high[1]}', "chromium", *FLAGS, *flags,
                                          f"--user-data-dir={folder}", "about:blank"], pass_fds=high,
                                    env={"TMPDIR": self.temporary.name})
        for fd in (theirs_in, theirs_out, *high):
            os.close(fd)
        target = self.call("Target.createTarget", url=url)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def _receive(self, end):
        while b"\0" not in self.data:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.source], [], [], left)[0]:
                raise Timeout(f"the browser does not answer; stderr: {self.browser.err.data[-2000:]!r}")
            chunk = os.read(self.source, 1 << 20)
            assert chunk, "the browser has ended"
            self.data += chunk
        message, _, self.data = self.data.partition(b"\0")
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if hasattr(self, "session"):
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while (answer := self._receive(end)).get("id") != self.number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression, wanted):
        """Until the expression has that value."""
        end = time.monotonic() + PATIENCE
        while (value := self.evaluate(expression)) != wanted:
            if time.monotonic() > end:
                raise Timeout(f"{expression} is {value!r}, not {wanted!r}")
            time.sleep(0.02)

    def close(self):
        os.close(self.to)
        os.close(self.source)
        self.browser.stop()
        self.temporary.cleanup()
