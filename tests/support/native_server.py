"""A server of the native dialect up to the handshake, written from netkit-protocol(7): what it answers is a test's."""

import struct

from native_peer import ACCEPT, BYE, CONNECT, COOKIE, HELLO, begin

REJECT, VERSION = 5, 10
FULL, TAKEN, BAD_REQUEST, FORBIDDEN = 1, 2, 3, 4
KEY = bytes(16)
SESSION = b"\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8"


def cookie(key):
    return begin(COOKIE, 0, key) + bytes(20)


def version(key):
    return begin(VERSION, 0, key) + bytes([3, 3, 0, 0])


def reject(key, code, text):
    return begin(REJECT, 0, key) + struct.pack(">H", code) + text


def accept(key, payload):
    return begin(ACCEPT, 0, key) + SESSION + struct.pack(">IHI", 1, 64, 30_000) + KEY + payload


def bye(text):
    return begin(BYE, 0, SESSION) + struct.pack(">IIHH", 1, 1, 64, 0) + b"\0" + text


def answer_hello(sock, reply):
    """Answers the next HELLO by `reply(key)`."""
    datagram, client = sock.recvfrom(2048)
    while datagram[2] != HELLO:
        datagram, client = sock.recvfrom(2048)
    sock.sendto(reply(datagram[4:12]), client)
    return client


def answer_connect(sock, *replies):
    """Gives a client its cookie, and answers its CONNECT by each `reply(key)`."""
    answer_hello(sock, cookie)
    datagram, client = sock.recvfrom(2048)
    while datagram[2] != CONNECT:
        if datagram[2] == HELLO:
            sock.sendto(cookie(datagram[4:12]), client)
        datagram, client = sock.recvfrom(2048)
    for reply in replies:
        sock.sendto(reply(datagram[4:12]), client)
    return client
