"""A client of HTTP/2 over TLS that a test moves by hand."""

import socket
import ssl
import time

import h2.config
import h2.connection
import h2.events
import h2.settings

from netkit import DEADLINE


class Http2Peer:
    """One connection to `server`; `window` is the initial one of each stream."""

    def __init__(self, server, ca, window=None):
        context = ssl.create_default_context(cafile=str(ca))
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)
        self.sock = context.wrap_socket(raw, server_hostname="127.0.0.1")
        assert self.sock.selected_alpn_protocol() == "h2"
        self.host = server.address
        self.opens_windows = window is None
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()
        self.headers, self.bodies, self.ended, self.resets = {}, {}, set(), {}
        self.closed = self.gone_away = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def ask(self, path, method="GET", body=None, **headers):
        """Begins a request; its stream's number."""
        stream = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "https"), (":authority", self.host), (":path", path)]
        self.h2.send_headers(stream, pseudo + list(headers.items()), end_stream=body is None)
        if body is not None:
            self.h2.send_data(stream, body, end_stream=True)
        self.flush()
        return stream

    def turn(self):
        """Takes what comes next."""
        data = self.sock.recv(65536)
        if not data:
            self.closed = True
            return
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.headers[event.stream_id] = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                if self.opens_windows and event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                self.resets[event.stream_id] = event.error_code
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.gone_away = True
        if not self.gone_away:
            self.flush()

    def wait_for(self, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            assert not self.closed and time.monotonic() < end, (self.headers, self.bodies, self.ended, self.resets)
            self.turn()

    def answer(self, stream):
        """Status and body of an answer that is whole."""
        self.wait_for(lambda: stream in self.ended)
        return int(self.headers[stream][":status"]), self.bodies.get(stream, b"")

    def wait_for_end(self):
        end = time.monotonic() + DEADLINE
        while not self.closed:
            assert time.monotonic() < end
            try:
                self.turn()
            except (ConnectionError, ssl.SSLError):
                self.closed = True
