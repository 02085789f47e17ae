"""Receivers of callbacks: HTTP servers that keep what they are sent, and answer as told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Received:
    """One request: `at` is on the monotonic clock."""

    path: str
    headers: dict[str, str]
    body: Any
    at: float


@dataclass
class Receiver:
    """What was received so far, oldest first. `answers` are given in turn, the last for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    endless: bool = False
    silent: bool = False
    received: list[Received] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)
    closed: Event = field(default_factory=Event)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def paths(self) -> list[str]:
        return [each.path for each in self.received]

    def wait_for(self, count: int) -> list[Received]:
        """What was received, once it is `count` requests."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, PATIENCE_S), self.paths
            return list(self.received)

    def keep(self, request: Received) -> int:
        """Keep a request; returns the status code of its answer."""
        with self.changed:
            self.received.append(request)
            self.changed.notify_all()
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiving(host: str = "127.0.0.1", **behaviour: Any) -> Iterator[Receiver]:
    """A receiver on a free port of `host`."""
    receiver = Receiver(**behaviour)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code = receiver.keep(Received(self.path, dict(self.headers), body, time.monotonic()))
            if receiver.silent:
                receiver.closed.wait(PATIENCE_S)
                return
            try:
                self.answer(code)
            except OSError:  # whoever called has heard enough
                self.close_connection = True

        do_GET = do_POST  # noqa: N815  what a redirect would become

        def answer(self, code: int) -> None:
            self.send_response(code)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            if not receiver.endless:
                self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)
            while receiver.endless and not receiver.closed.is_set():
                self.wfile.write(b"and on, " * 1000)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name that the base class gives it
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

    with Server((host, 0), Handler) as server:
        receiver.url = f"http://{host}:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.closed.set()
            server.shutdown()
            thread.join()
