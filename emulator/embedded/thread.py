"""The thread in which an embedded emulator lives, with a socket or without."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from threading import Event as ThreadEvent
from threading import Lock, Thread, current_thread
from typing import Any

from emulator.app import create_app
from emulator.embedded.passage import Passage
from emulator.errors import EmulatorError, StartError, Unreachable
from emulator.server.listener import Listener, bind, url_of
from emulator.server.service import Service

__tracebackhide__ = True

URL_WITHOUT_SOCKET = "http://emulator.invalid"
"""The address of an emulator that listens nowhere: a name that can never be one of the network's."""

_STOP_LIMIT_S = 10.0


class EmulatorThread:
    """One emulator with an event loop of its own, which nobody else's code ever runs in."""

    def __init__(self, service: Service, *, host: str, port: int, listen: bool) -> None:
        """Raises ContractError, or StartError if the address cannot be listened on."""
        self._app = create_app(service)
        self._service = service
        self._socket = bind(host, port) if listen else None
        self.url = URL_WITHOUT_SOCKET if self._socket is None else url_of(self._socket)
        self._process = os.getpid()
        self._ready = ThreadEvent()
        self._is_up = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: Callable[[], None] | None = None
        self._lock = Lock()
        self._open: set[Passage] | None = set()  # None once the loop has ended
        self._thread = Thread(target=self._main, name="lyceum-emulator", daemon=True)

    @property
    def listens(self) -> bool:
        return self._socket is not None

    def start(self) -> None:
        """Return once it answers. Raises StartError."""
        self._thread.start()
        self._ready.wait()
        if not self._is_up:
            raise StartError("the emulator's thread ended before it answered; it has said why")

    def stop(self) -> None:
        """End streams and connections, then the thread. In another process than its own it does nothing."""
        if os.getpid() != self._process or not self._thread.is_alive():
            return
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(_STOP_LIMIT_S)
        if self._thread.is_alive():
            raise EmulatorError(f"the emulator's thread did not end within {_STOP_LIMIT_S:g} s")

    def enter(self, scope: dict[str, Any], body: bytes) -> Passage:
        """Begin a request of the application, without a socket. Raises Unreachable."""
        if os.getpid() != self._process:
            raise Unreachable(
                "this emulator runs in the process that started it, and this one was forked off it; "
                "start one here, or use its URL"
            )
        if self._loop is None:
            raise Unreachable("this emulator was not started")
        if current_thread() is self._thread:
            raise Unreachable("this emulator cannot be asked from within its own thread")
        passage = Passage(self._loop, self._app, scope, body)
        with self._lock:
            if self._open is None:
                raise Unreachable("this emulator was stopped")
            self._open.add(passage)
            self._loop.call_soon_threadsafe(passage.begin)
        return passage

    def leave(self, passage: Passage) -> None:
        """A request is over for whoever asked."""
        passage.abandon()
        with self._lock:
            if self._open is not None:
                self._open.discard(passage)

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._serve())
        finally:
            with self._lock:
                left, self._open = self._open, None
            for passage in left or ():
                passage.end()
            self._ready.set()

    def _answers(self) -> None:
        self._is_up = True
        self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._socket is None:
            stopping = asyncio.Event()
            self._stop = stopping.set
            self._answers()
            await stopping.wait()
            self._service.close()
            await self._service.courier.stop()
            self._service.courier.record_rest()
            return
        # Without a watcher of scenario files: what a test reads does not change while it runs.
        listener = Listener(self._app, self._service, on_ready=self._answers, log_level="warning")
        self._stop = listener.stop
        await listener.serve(sockets=[self._socket])


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not on Windows, and not on PyPy
        return None
    return uvloop.new_event_loop
