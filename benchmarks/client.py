"""A client on loopback that keeps its connection: single questions, and many of one kind in a pipeline."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from benchmarks.errors import UnexpectedAnswer

HOST = "127.0.0.1"
KEY = "lk_benchmarks_own_key"
_BATCH = 64
"""So many requests go out before their answers are read: few enough to fit into the sockets' buffers both ways."""

_IDLE_S = 1.0
"""Servers close a connection that is idle for longer; uvicorn after five seconds."""


def authorized(key: str = KEY) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class Client:
    """Asks one server; every answer has to have the status that is expected."""

    def __init__(self, port: int, *, key: str | None = KEY) -> None:
        """`key` goes with each request; None sends none, which the control API takes for the whole server."""
        self._port = port
        self._headers = {} if key is None else authorized(key)
        self._connection = http.client.HTTPConnection(HOST, port, timeout=120)
        self._used_s = time.monotonic()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        *,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> bytes:
        """The body of the answer. Without a method: GET, or POST if there is a body."""
        sent = self._headers | ({} if body is None else {"Content-Type": "application/json"}) | dict(headers or {})
        if time.monotonic() - self._used_s > _IDLE_S:
            self._connection.close()  # the next request opens it anew
        self._connection.request(method or ("GET" if body is None else "POST"), path, body, sent)
        answer = self._connection.getresponse()
        read = answer.read()
        self._used_s = time.monotonic()
        if answer.status != status:
            raise UnexpectedAnswer(f"{path}: {answer.status} instead of {status}: {read[:300]!r}")
        return read

    def post_all(self, path: str, bodies: Iterable[bytes], *, status: int = 200) -> None:
        """Post all `bodies` over one connection, many before the first answer is read."""
        left = iter(bodies)
        with socket.create_connection((HOST, self._port)) as connection:
            # Else the end of a batch waits for the answers to its beginning to be acknowledged.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while batch := list(islice(left, _BATCH)):
                connection.sendall(b"".join(self._posts(path, batch)))
                _read_answers(connection, len(batch), status)

    def _posts(self, path: str, bodies: Iterable[bytes]) -> Iterator[bytes]:
        fixed = {"Host": f"{HOST}:{self._port}", "Content-Type": "application/json"} | self._headers
        head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        for body in bodies:
            yield f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _read_answers(connection: socket.socket, count: int, status: int) -> None:
    """Read until `count` answers have come whole; all have to have this status and tell their length."""
    buffer = bytearray()
    while count:
        head_end = buffer.find(b"\r\n\r\n")
        if head_end >= 0:
            head = bytes(buffer[:head_end]).lower()
            if not head.startswith(b"http/1.1 %d" % status):
                raise UnexpectedAnswer(bytes(buffer[:300]).decode("latin-1"))
            end = head_end + 4 + int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(buffer) >= end:
                del buffer[:end]
                count -= 1
                continue
        if not (received := connection.recv(1 << 18)):
            raise UnexpectedAnswer("the connection was closed")
        buffer += received
