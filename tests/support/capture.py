"""What goes over the loopback, as a file that tshark reads."""

import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile

SO_RCVBUFFORCE, ETH_P_ALL, PACKET_OUTGOING = 33, 3, 4
DISSECTOR = os.path.join(os.environ.get("NETKIT_SOURCE", ""), "share", "netkit.lua")


class Capture:
    """From here on until `save()`; needs root."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.bind(("lo", ETH_P_ALL))
        self.sock.setblocking(False)

    def save(self, path, port):
        """Writes the packets from or to `port` (IPv4, UDP or TCP)."""
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1))
            number = 0
            while True:
                try:
                    packet, address = self.sock.recvfrom(1 << 18)
                except BlockingIOError:
                    break
                if address[2] == PACKET_OUTGOING or packet[12:14] != b"\x08\0" or packet[23] not in (6, 17):
                    continue
                start = 14 + (packet[14] & 15) * 4
                if port not in struct.unpack(">HH", packet[start:start + 4]):
                    continue
                file.write(struct.pack("<IIII", 0, number, len(packet), len(packet)) + packet)
                number += 1
        self.sock.close()


def dissect(path, *options):
    """Each packet as {field: [values]}, and all of tshark's text about them."""
    # Newer ones run no script as root: another user gets a folder with what is to be read.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        capture, script = (shutil.copy(file, folder) for file in (path, DISSECTOR))
        for file in (capture, script):
            os.chmod(file, 0o644)
        base = ["tshark", "-r", capture, "-X", f"lua_script:{script}", *options]
        who = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        how = {"capture_output": True, "text": True, "timeout": 60, "check": True, "cwd": "/", **who,
               "env": {**os.environ, "HOME": folder, "LC_ALL": "C.UTF-8"}}
        text = subprocess.run([*base, "-V"], **how)
        for said in (text.stdout, text.stderr):
            assert "Lua Error" not in said and "Lua: Error" not in said, said[-3000:]
        fields = subprocess.run([*base, "-T", "ek"], **how)
    packets = [json.loads(line)["layers"] for line in fields.stdout.splitlines() if line.startswith('{"timestamp"')]
    return packets, text.stdout
