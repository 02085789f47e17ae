"""The server process: its socket, its signals, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

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

_TICKS = 5
"""Of a tenth of a second each: how often connections are looked at that wait for a request."""


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
        self._patience = Patience(service.settings.connections)
        self._service = service
        self._companions = companions
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        allow_connections(self._service.settings.connections.files)
        await super().startup(sockets)
        self._service.courier.gate.listening(sockets or ())
        for companion in self._companions:
            companion.start()
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS == 0:
            self._patience.look(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

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
