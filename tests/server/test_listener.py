"""The server process: it rests while nobody is connected, and wakes for whoever comes and for its end."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Iterator

import pytest

from emulator.app import create_app, create_service
from emulator.server.listener import Listener, bind
from tests.receivers import PATIENCE_S


class Counted(Listener):
    """Tells of each tick."""

    def __init__(self) -> None:
        self.ticks, self.is_up = threading.Semaphore(0), threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        service = create_service()
        super().__init__(create_app(service), service, on_ready=self.is_up.set, log_level="warning")

    async def on_tick(self, counter: int) -> bool:
        self.loop = asyncio.get_running_loop()
        self.ticks.release()
        return await super().on_tick(counter)


@pytest.fixture
def counted() -> Iterator[tuple[Counted, int]]:
    """A server that runs, and its port."""
    socket = bind("127.0.0.1", 0)
    listener = Counted()
    thread = threading.Thread(target=listener.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        assert listener.is_up.wait(PATIENCE_S)
        yield listener, socket.getsockname()[1]
    finally:
        assert listener.loop is not None
        listener.loop.call_soon_threadsafe(listener.stop)
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_it_rests_until_somebody_connects_and_tells_the_time_of_then(counted: tuple[Counted, int]) -> None:
    listener, port = counted
    assert listener.ticks.acquire(timeout=PATIENCE_S)
    assert not listener.ticks.acquire(timeout=0.6), "it ticks though nobody is connected"

    listener.server_state.default_headers = [(b"date", b"long ago")]
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    client.request("GET", "/_emulator/health")
    answer = client.getresponse()
    assert (answer.status, str(answer.getheader("date"))[-3:]) == (200, "GMT")
    assert all(listener.ticks.acquire(timeout=PATIENCE_S) for _ in range(3)), "connections that wait are looked at"
    client.close()
