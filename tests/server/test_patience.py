"""Clients that do not get to the end of their request: how much and how long they may send."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator.server.patience import Patience, bounded
from emulator.server.settings import ConnectionSettings
from tests.hostile.fuzz import exchange
from tests.process import Server, serving

SETTINGS = ConnectionSettings(head_s=20, body_s=120)
HEALTH = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


@dataclass
class Cycle:
    """As much of uvicorn's request in progress as is looked at."""

    more_body: bool = False
    response_complete: bool = False
    connection: Any = field(default=None, repr=False)


@dataclass
class Transport:
    aborted: bool = False

    def abort(self) -> None:
        self.aborted = True


@dataclass(eq=False)
class Connection:
    cycle: Cycle | None = None
    transport: Transport = field(default_factory=Transport)


@pytest.mark.parametrize(
    ("cycle", "limit_s"),
    [(None, 20), (Cycle(response_complete=True), 20), (Cycle(more_body=True), 120)],
    ids=["first head", "next head", "body"],
)
def test_who_has_not_sent_all_at_the_limit_is_cut_off(cycle: Cycle | None, limit_s: float) -> None:
    patience, connection = Patience(SETTINGS), Connection(cycle)
    patience.look([connection], 1000)
    patience.look([connection], 1000 + limit_s - 0.1)
    assert not connection.transport.aborted
    patience.look([connection], 1000 + limit_s)
    assert connection.transport.aborted


def test_a_connection_that_was_waited_for_is_forgotten_once_it_is_gone() -> None:
    patience, connection = Patience(SETTINGS), Connection(Cycle(more_body=True))
    assert connection.cycle
    connection.cycle.connection = connection  # as uvicorn's knows whom to tell of its end
    patience.look([connection], 0)
    gone = weakref.ref(connection)
    del connection
    gc.collect()
    assert gone() is None


def test_who_is_being_answered_has_all_the_time_there_is() -> None:
    patience, connection = Patience(SETTINGS), Connection(Cycle())
    for now_s in (0, 1_000, 100_000):
        patience.look([connection], now_s)
    assert not connection.transport.aborted


def test_each_request_of_a_connection_has_its_own_time() -> None:
    patience, connection = Patience(SETTINGS), Connection()
    patience.look([connection], 0)
    for now_s in (19, 38, 57):
        connection.cycle = Cycle(response_complete=True)
        patience.look([connection], now_s)
    assert not connection.transport.aborted
    connection.cycle = Cycle(more_body=True)
    patience.look([connection], 76)
    patience.look([connection], 195)
    assert not connection.transport.aborted
    patience.look([connection], 196)
    assert connection.transport.aborted


class Parser(asyncio.Protocol):
    """As much of uvicorn's protocol as is bounded: one that never finds the end of a head."""

    def __init__(self, cycle: Cycle | None) -> None:
        self.cycle = cycle
        self.fed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.fed += len(data)


class Written:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.content = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.content += data

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("cycle", "fed", "told"),
    [
        (None, 65_000, b"HTTP/1.1 431 "),
        (Cycle(response_complete=True), 65_000, b"HTTP/1.1 431 "),
        (Cycle(), 65_000, b""),  # an answer is under way: nothing may be written into it
        (Cycle(more_body=True), 200_000, b""),  # a body has a bound of its own
    ],
    ids=["first head", "next head", "while answering", "body"],
)
def test_a_head_that_comes_in_pieces_is_bounded_as_a_whole(cycle: Cycle | None, fed: int, told: bytes) -> None:
    protocol: Any = bounded(Parser, SETTINGS)(cycle)  # type: ignore[call-arg]  # typed as any protocol is
    written = Written()
    protocol.connection_made(written)
    for _ in range(200):
        if not written.closed:
            protocol.data_received(b"a" * 1_000)
    assert (protocol.fed, written.closed) == (fed, fed < 200_000)
    assert written.content[:13] == told


# Over sockets.


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--head-timeout", "500ms", "--body-timeout", "1s", "--max-body-bytes", "5000") as server:
        yield server


def padded(length: int) -> bytes:
    """A request whose head, without the empty line at its end, has so many bytes."""
    return HEALTH + b"X: " + b"a" * (length - len(HEALTH) - 5) + b"\r\n\r\n"


def test_a_head_may_be_as_long_as_the_limit_and_no_longer(server: Server) -> None:
    limit = ConnectionSettings().head_bytes
    assert limit == 65_536
    assert exchange(server.port, (padded(limit - 2),), ends=False).startswith(b"HTTP/1.1 200 ")
    assert exchange(server.port, (padded(limit * 4),), ends=False).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        HEALTH,
        b"POST /_emulator/reset HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["nothing", "line", "headers", "body"],
)
def test_a_request_without_end_is_cut_off(server: Server, begun: bytes) -> None:
    assert exchange(server.port, (begun,), ends=False) == b""  # or this times out


def test_the_bound_on_bodies_is_the_one_that_was_set(server: Server) -> None:
    head = b"PATCH /_emulator/clock HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    at_most = b'{"mode": "real"}'.ljust(5_000)
    assert exchange(server.port, (head % 5_000 + at_most,), ends=False).startswith(b"HTTP/1.1 200 ")
    assert exchange(server.port, (head % 5_001 + at_most + b" ",), ends=False).startswith(b"HTTP/1.1 413 ")
