"""Clients that connect and do nothing, or next to nothing: the others do not notice."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

from tests.hostile.fuzz import PATIENCE_S, exchange
from tests.process import Server, serving

IDLE = 500
SLOW = 50
UNREAD = 5
PROMPT_S = 1.0
HEALTH = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def slowest_s(server: Server, requests: int) -> float:
    """The longest that a client waits who asks so many times."""
    slowest = 0.0
    for _ in range(requests):
        begun = time.monotonic()
        assert exchange(server.port, (HEALTH,), ends=False).startswith(b"HTTP/1.1 200 ")
        slowest = max(slowest, time.monotonic() - begun)
    return slowest


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def test_idle_connections_and_slow_senders_do_not_stop_others() -> None:
    with serving() as server, ExitStack() as open_ones:
        for _ in range(IDLE):
            open_ones.enter_context(connected(server))
        assert slowest_s(server, 20) < PROMPT_S
        slow = [open_ones.enter_context(connected(server)) for _ in range(SLOW)]
        for letter in HEALTH[:-2]:  # all of them a byte at a time, and never the end
            for connection in slow:
                connection.sendall(bytes([letter]))
        assert slowest_s(server, 20) < PROMPT_S
        for connection in slow:  # they are still served once they have made up their minds
            connection.sendall(HEALTH[-2:])
        for connection in slow:
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_streams_that_nobody_reads_do_not_stop_others() -> None:
    start = b'{"code": "pass", "metadata": {"emulator.scenario": "chatty"}}'
    submit = (
        b"POST /api/v2/external/execution/streaming/start HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        b"Authorization: Bearer lk_never_reads\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    )
    with serving("--speed", "1000") as server, ExitStack() as open_ones:
        answer = exchange(server.port, (submit % (len(start), start),), ends=False)
        execution_id = answer.partition(b'"execution_id":"')[2][:36]
        follow = b"GET /api/v1/stream/%s HTTP/1.1\r\nHost: a\r\n\r\n" % execution_id
        for _ in range(UNREAD):
            open_ones.enter_context(connected(server)).sendall(follow)
        # They take turns, each with as many lines as the sockets take in.
        assert slowest_s(server, 20) < PATIENCE_S
