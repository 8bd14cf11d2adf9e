"""Sends datagrams from addresses that are not its own: one from each of COUNT addresses from FIRST on.

    forge.py FIRST COUNT HOST PORT PAYLOAD

PAYLOAD is `hello`, the HELLO of the native protocol, or else text, sent with the number of the address behind it. Needs
root; only for networks that a test made."""

import ipaddress
import socket
import struct
import sys
import time

STEP = 500  # datagrams; then a server of a busy machine may catch up


def datagram(source, target, port, payload):
    """IPv4 and UDP headers and payload; the kernel fills in length and checksum of the former."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0, source.to_bytes(4, "big"), target)
    udp = struct.pack(">HHHH", 4000, port, 8 + len(payload), 0)
    return ip + udp + payload


def main():
    first, count, host, port, text = sys.argv[1:]
    first, count, port = int(ipaddress.IPv4Address(first)), int(count), int(port)
    target = socket.inet_aton(host)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for i in range(count):
            if text == "hello":
                payload = struct.pack(">BBBBQ", 0xF5, 2, 1, 0, i).ljust(64, b"\0")
            else:
                payload = b"%s%d" % (text.encode(), i)
            sock.sendto(datagram(first + i, target, port, payload), (host, 0))
            if i % STEP == STEP - 1:
                time.sleep(0.001)


if __name__ == "__main__":
    main()
