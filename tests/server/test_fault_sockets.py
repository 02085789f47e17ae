"""Faults at the socket: what the bytes are, and how the connection ends, under both of uvicorn's parsers."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emulator.app import create_app, create_service
from emulator.clock import ClockMode, ClockSettings
from emulator.server.connection import reachable
from emulator.server.listener import bind
from emulator.server.service import Service
from tests.api import BASE, KEY
from tests.process import serving

PATIENCE_S = 10.0


@dataclass
class Heard:
    """What came over a connection until it ended, and whether it was reset."""

    data: bytes
    reset: bool
    seconds: float
    first_s: float

    @property
    def head(self) -> dict[str, str]:
        lines = self.data.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1])

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]


class _Server(uvicorn.Server):
    """One that tells its event loop once it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.serves.set()


class Wire:
    """A server, spoken to without an HTTP client, which would hide how a connection ends."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = KEY) -> Heard:
        text = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: emulator", "Connection: close", f"Content-Length: {len(text)}"]
        lines += ["Content-Type: application/json"] if text else []
        lines += [f"Authorization: Bearer {key}"] if key else []
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + text)
            data, reset, first_s = b"", False, 0.0
            try:
                while chunk := connection.recv(65536):
                    first_s = first_s or time.monotonic() - began
                    data += chunk
            except ConnectionResetError:
                reset = True
        return Heard(data, reset, time.monotonic() - began, first_s)

    def fault(self, **fault: Any) -> None:
        added = self.ask("POST", "/_emulator/faults", fault)
        assert added.status == 200, added.data

    def start(self, scenario: str = "completed") -> str:
        metadata = {"emulator.scenario": scenario}
        heard = self.ask("POST", f"{BASE}/execution/streaming/start", {"code": "pass", "metadata": metadata})
        return str(json.loads(heard.body)["execution_id"])

    def runs(self) -> int:
        return int(json.loads(self.ask("GET", "/_emulator/runs").body)["total"])

    def last_request(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.ask("GET", "/_emulator/requests?limit=1").body)["requests"]
        return found[0]


class Inside(Wire):
    """One to a server in a thread of this process."""

    def __init__(self, service: Service, server: _Server, port: int) -> None:
        super().__init__(port)
        self.service = service
        self.server = server

    def stop(self) -> None:
        """What the end of the server means for those who wait for an answer."""
        self.server.loop.call_soon_threadsafe(self.service.close)


@pytest.fixture(params=[HttpToolsProtocol, H11Protocol], ids=["httptools", "h11"])
def wire(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Inside]:
    service = create_service(clock=ClockSettings(ClockMode.PER_REQUEST, step_ms=500))
    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(
        create_app(service), http=reachable(request.param), lifespan="off", ws="none", log_config=None, access_log=False
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    assert server.serves.wait(PATIENCE_S)
    wire = Inside(service, server, listener.getsockname()[1])
    try:
        yield wire
    finally:
        wire.stop()
        server.should_exit = True
        thread.join(PATIENCE_S)
        listener.close()
    assert not thread.is_alive()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_reset_comes_before_any_answer_and_nothing_is_done(wire: Wire) -> None:
    wire.fault(fault="reset", operation="start_*", times=1)
    heard = wire.ask("POST", f"{BASE}/execution/streaming/start", {"code": "pass"})
    assert (heard.data, heard.reset) == (b"", True)
    assert wire.runs() == 0
    seen = wire.last_request()
    assert (seen["status_code"], seen["fault"], seen["body"]) == (None, "fault-1: reset", {"code": "pass"})
    assert wire.ask("POST", f"{BASE}/execution/streaming/start", {"code": "pass"}).status == 200


def test_a_reset_that_is_handled_loses_the_answer_and_keeps_the_run(wire: Wire) -> None:
    wire.fault(fault="reset", operation="start_*", times=1, handled=True)
    heard = wire.ask("POST", f"{BASE}/execution/streaming/start", {"code": "pass"})
    assert (heard.data, heard.reset) == (b"", True)
    assert wire.runs() == 1


@pytest.mark.parametrize(("fault", "reset"), [("truncated", False), ("reset-in-body", True)])
@pytest.mark.parametrize("after", [None, 7, 0, 1_000_000])
def test_a_body_breaks_off_short_of_the_length_that_its_head_promises(
    wire: Wire, fault: str, reset: bool, after: int | None
) -> None:
    whole = wire.ask("GET", f"{BASE}/machine-types")
    length = len(whole.body)
    wire.fault(fault=fault, **({} if after is None else {"after_bytes": after}))
    heard = wire.ask("GET", f"{BASE}/machine-types")
    part = length // 2 if after is None else min(after, length - 1)
    assert (heard.status, heard.head["content-length"]) == (200, str(length))
    assert (heard.body, heard.reset) == (whole.body[:part], reset)
    assert length > 100


def test_a_truncated_start_has_started_all_the_same(wire: Wire) -> None:
    wire.fault(fault="truncated", operation="start_python_execution")
    wire.ask("POST", f"{BASE}/execution/streaming/start", {"code": "pass"})
    assert wire.runs() == 1


def test_malformed_json_is_a_whole_answer(wire: Wire) -> None:
    whole = wire.ask("GET", f"{BASE}/machine-types")
    wire.fault(fault="malformed-json")
    heard = wire.ask("GET", f"{BASE}/machine-types")
    assert (heard.status, heard.reset, len(heard.body)) == (200, False, int(heard.head["content-length"]))
    assert heard.body[:-1] == whole.body[:-1]
    with pytest.raises(json.JSONDecodeError):
        json.loads(heard.body)


def test_a_body_drips_for_as_long_as_asked(wire: Wire) -> None:
    whole = wire.ask("GET", f"{BASE}/machine-types")
    wire.fault(fault="slow-drip", over="400ms")
    heard = wire.ask("GET", f"{BASE}/machine-types")
    assert (heard.body, heard.reset) == (whole.body, False)
    assert heard.first_s < 0.3
    assert 0.39 <= heard.seconds < 3


def test_latency_delays_the_first_byte(wire: Wire) -> None:
    wire.fault(latency="300ms")
    heard = wire.ask("GET", f"{BASE}/machine-types")
    assert 0.29 <= heard.first_s < 3  # timers may be early by what a clock tick is
    assert wire.last_request()["duration_ms"] >= 290


def test_latency_ends_when_the_server_stops(wire: Inside) -> None:
    wire.fault(latency="1m")
    stopping = threading.Timer(0.3, wire.stop)
    stopping.start()
    assert wire.ask("GET", f"{BASE}/machine-types").seconds < PATIENCE_S


def test_latency_ends_when_the_client_goes_away(wire: Wire) -> None:
    wire.fault(latency="1m", times=1)
    with socket.create_connection(("127.0.0.1", wire.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(
            f"GET {BASE}/machine-types HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()
        )
        while not json.loads(wire.ask("GET", "/_emulator/faults").body)["faults"][0]["hits"]:
            pass
    deadline = time.monotonic() + PATIENCE_S
    while not json.loads(wire.ask("GET", "/_emulator/requests").body)["total"]:
        assert time.monotonic() < deadline, "the request is still held back"
    assert wire.last_request()["fault"] == "fault-1: 60000 ms late"


@pytest.mark.parametrize(
    ("fault", "reset", "whole"),
    [("stream-cut", False, False), ("stream-reset", True, False), ("stream-ended", False, True)],
)
@pytest.mark.parametrize("events", [0, 3])
def test_a_stream_breaks_after_so_many_events(wire: Wire, fault: str, reset: bool, whole: bool, events: int) -> None:
    run_id = wire.start()
    wire.fault(fault=fault, after_events=events)
    heard = wire.ask("POST", f"/api/v1/stream/{run_id}", key=None)
    assert (heard.status, heard.reset) == (200, reset)
    assert heard.body.count(b"data: ") == events
    assert heard.body.endswith(b"0\r\n\r\n") is whole
    assert b"jobFinished" not in heard.body


@pytest.mark.parametrize(
    ("fault", "reset", "whole"),
    [("stream-cut", False, False), ("stream-reset", True, False), ("stream-ended", False, True)],
)
def test_after_no_event_at_all_a_stream_breaks_before_there_is_one(
    wire: Wire, fault: str, reset: bool, whole: bool
) -> None:
    wire.ask("PATCH", "/_emulator/clock", {"mode": "manual"})  # so that the run never gets to an event
    run_id = wire.start("long-queue")
    wire.fault(fault=fault, after_events=0)
    heard = wire.ask("POST", f"/api/v1/stream/{run_id}", key=None)
    assert (heard.status, heard.reset, heard.body.endswith(b"0\r\n\r\n")) == (200, reset, whole)
    assert b"data: " not in heard.body
    assert heard.head["content-type"].startswith("text/event-stream")


def test_a_stalled_stream_falls_silent_until_the_server_stops(wire: Inside) -> None:
    run_id = wire.start()
    wire.fault(fault="stream-stalled", after_events=2)
    stopping = threading.Timer(0.5, wire.stop)
    stopping.start()
    heard = wire.ask("POST", f"/api/v1/stream/{run_id}", key=None)
    assert heard.body.count(b"data: ") == 2
    assert 0.5 <= heard.seconds < PATIENCE_S
    assert b"keep-alive" not in heard.body


def test_a_stalled_stream_that_is_left_leaves_nobody_waiting(wire: Inside) -> None:
    run_id = wire.start()
    wire.fault(fault="stream-stalled", after_events=2)
    bell = wire.service.cloud.clock.bell
    with socket.create_connection(("127.0.0.1", wire.port), PATIENCE_S) as connection:
        connection.sendall(f"GET /api/v1/stream/{run_id} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while data.count(b"data: ") < 2:
            data += connection.recv(65536)
    deadline = time.monotonic() + PATIENCE_S
    while bell.waiting:
        assert time.monotonic() < deadline, "the stream is still held"


def test_a_stream_may_come_late(wire: Wire) -> None:
    run_id = wire.start()
    wire.fault(latency="200ms", stream=True)
    heard = wire.ask("POST", f"/api/v1/stream/{run_id}", key=None)
    assert heard.first_s >= 0.19
    assert b"jobFinished" in heard.body


def test_answers_without_a_fault_share_a_connection_as_ever(wire: Wire) -> None:
    """The protocol of our own changes nothing for the rest: two requests, one connection."""
    request = f"GET {BASE}/machine-types HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
    with socket.create_connection(("127.0.0.1", wire.port), PATIENCE_S) as connection:
        connection.sendall(f"{request}\r\n{request}Connection: close\r\n\r\n".encode())
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
    assert data.count(b"HTTP/1.1 200 OK") == 2


def test_a_server_process_breaks_its_connections_as_well() -> None:
    with serving() as server:
        wire = Wire(server.port)
        length = len(wire.ask("GET", f"{BASE}/machine-types").body)
        for fault in ("reset", "truncated", "reset-in-body"):
            wire.fault(fault=fault, times=1)
        heard = [wire.ask("GET", f"{BASE}/machine-types") for _ in range(4)]
    assert [(len(each.body), each.reset) for each in heard] == [
        (0, True),
        (length // 2, False),
        (length // 2, True),
        (length, False),
    ]


def test_a_server_process_sends_the_head_of_a_stream_that_it_cuts_before_any_event() -> None:
    with serving("--clock", "manual") as server:
        wire = Wire(server.port)
        run_id = wire.start("long-queue")
        wire.fault(fault="stream-cut", after_events=0)
        heard = wire.ask("POST", f"/api/v1/stream/{run_id}", key=None)
    assert (heard.status, heard.reset, heard.body) == (200, False, b"")
    assert heard.seconds < PATIENCE_S
