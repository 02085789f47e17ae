"""The server process: its socket, its signals, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from email.utils import formatdate
from types import FrameType
from typing import Any, Protocol

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from emulator.errors import StartError
from emulator.server.connection import reachable
from emulator.server.one_write import in_one_write
from emulator.server.patience import Patience, allow_connections, bounded
from emulator.server.service import Service

_LAST_WORDS_S = 0.3
"""How long a connection may take to close by itself when the server stops."""

_LOOK_S = 0.5
"""How often connections are looked at that wait for a request."""

_REST_S = 0.1 if sys.platform == "win32" else None
"""How long the server rests while nobody is connected. Elsewhere a signal wakes an event loop that does nothing."""


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port` (0: any free one). Raises StartError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise StartError(f"cannot listen on {host}: {error}; name an address of this machine with --host") from error
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise StartError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port, or 0 for any free one"
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Companion(Protocol):
    """What goes on beside the server, from when it accepts connections until it has closed them."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


class _Connections(set[Any]):
    """uvicorn's open connections; tells of each new one."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell

    def add(self, connection: Any) -> None:  # noqa: ANN401 - untyped in uvicorn
        super().add(connection)
        self._tell()


class Listener(uvicorn.Server):
    """Serves `app` until it is told to stop; open streams do not hold it up."""

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        *,
        companions: Sequence[Companion] = (),
        on_ready: Callable[[], None],
        log_level: str,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=in_one_write(bounded(reachable(AutoHTTPProtocol), service.settings.connections)),
                timeout_keep_alive=max(1, round(service.settings.connections.idle_s)),
                lifespan="off",
                ws="none",
                access_log=False,
                proxy_headers=False,  # read where there are any
                server_header=False,
                log_config=None,
                log_level=log_level,
            )
        )
        self._stirred = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.server_state.connections = _Connections(self._connected)
        self._patience = Patience(service.settings.connections)
        self._service = service
        self._companions = companions
        self._on_ready = on_ready

    def stop(self) -> None:
        """Stop soon. From the thread of the event loop."""
        self.should_exit = True
        self._stirred.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stirred.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        allow_connections(self._service.settings.connections.files)
        await super().startup(sockets)
        self._service.courier.gate.listening(sockets or ())
        for companion in self._companions:
            companion.start()
        self._on_ready()

    def _connected(self) -> None:
        if len(self.server_state.connections) == 1:
            self._stirred.set()
            # Its request is answered before the main loop wakes, and the last tick may be long ago.
            date = formatdate(usegmt=True).encode()
            self.server_state.default_headers = [(b"date", date), *self.config.encoded_headers]

    async def main_loop(self) -> None:
        """In place of uvicorn's, which ticks ten times a second whether or not anybody is there."""
        while not await self.on_tick(0):
            self._patience.look(self.server_state.connections, asyncio.get_running_loop().time())
            self._stirred.clear()
            if not self.should_exit:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S if self.server_state.connections else _REST_S):
                        await self._stirred.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.close()
        # While connections are still accepted: whoever is told of a run's end may want to ask for more.
        await self._service.courier.stop()
        asyncio.get_running_loop().call_later(_LAST_WORDS_S, self._cut_off)
        await super().shutdown(sockets)
        self._service.courier.record_rest()
        for companion in self._companions:
            await companion.stop()

    def _cut_off(self) -> None:
        """Close the connections of those who do not read what they asked for."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM. To be asked to stop is no failure: unlike uvicorn's, the process ends with 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in handlers.items():
                signal.signal(one, handler)
