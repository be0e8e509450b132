"""An OTLP/HTTP collector at the end of the wire: it keeps what it was sent, whoever sent it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Collector(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.received: list[bytes] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def knows(self, trace_id: str, *, of: str) -> bool:
        """Whether a span of the trace came from the service `of`: as bytes from Envoy, as hex from us."""
        return any(
            of.encode() in body and (bytes.fromhex(trace_id) in body or trace_id.encode() in body)
            for body in list(self.received)
        )


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self):
        if self.path == "/v1/traces":
            self.server.received.append(self._body())
        self.send_response(200)
        self.send_header("content-length", "0")
        self.send_header("connection", "close")
        self.end_headers()

    def _body(self) -> bytes:
        if length := self.headers["content-length"]:
            return self.rfile.read(int(length))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_):
        pass


@contextmanager
def collector() -> Iterator[Collector]:
    with Collector() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()
