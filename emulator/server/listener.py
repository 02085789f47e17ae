"""The server process: its socket, its signals, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from emulator.errors import StartError
from emulator.server.service import Service
from emulator.server.watcher import Watcher

_LAST_WORDS_S = 0.3
"""How long a connection may take to close by itself when the server stops."""


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


class Listener(uvicorn.Server):
    """Serves `app` until it is told to stop; open streams do not hold it up."""

    def __init__(
        self, app: ASGIApp, service: Service, *, watcher: Watcher, on_ready: Callable[[], None], log_level: str
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                access_log=False,
                server_header=False,
                log_config=None,
                log_level=log_level,
            )
        )
        self._service = service
        self._watcher = watcher
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._watcher.start()
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.close()
        await self._watcher.stop()
        asyncio.get_running_loop().call_later(_LAST_WORDS_S, self._cut_off)
        await super().shutdown(sockets)

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
