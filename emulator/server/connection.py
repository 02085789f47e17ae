"""The connection under a request, for those answers that end by breaking it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

EXTENSION = "emulator.connection"
_FLUSH_S = 1.0
# Linger for no time at all: closing then sends RST in place of FIN.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Connection(Protocol):
    """What can be broken under a request. Neither returns before the request is over for its client."""

    async def reset(self, receive: Receive) -> None:
        """Send what was written, then RST."""

    async def close(self, receive: Receive) -> None:
        """Send what was written, then FIN."""


class _OnSocket:
    """A client's connection, as far as its transport lets it be broken."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    async def reset(self, receive: Receive) -> None:
        await self._flush()
        # As libuv and asyncio let it: both hand out something that knows this much of a socket.
        with contextlib.suppress(OSError):  # the client may have been quicker
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()
        await gone(receive)

    async def close(self, receive: Receive) -> None:
        await self._flush()
        if self._transport.get_write_buffer_size():
            self._transport.abort()  # from a client that reads nothing there is nothing to wait for
        self._transport.close()
        await gone(receive)

    async def _flush(self) -> None:
        deadline = asyncio.get_running_loop().time() + _FLUSH_S
        while (  # noqa: ASYNC110 - a transport tells its protocol alone, which needs to know itself
            self._transport.get_write_buffer_size() and asyncio.get_running_loop().time() < deadline
        ):
            await asyncio.sleep(0.001)


async def gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def connection_of(scope: Scope) -> Connection | None:
    """The connection under a request; None in process, or under another server than ours."""
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    return connection


async def break_off(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Reset or close the connection. Raises ConnectionResetError where there is none to break."""
    connection = connection_of(scope)
    if connection is None:
        how = "resets" if reset else "closes"
        raise ConnectionResetError(f"a fault {how} the connection here; in process there is none, so this is raised")
    await (connection.reset(receive) if reset else connection.close(receive))


def reachable(base: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol `base`, of whichever parser, with its connection in the scope of each request."""
    anything: Any = base  # its attributes are the same in all of uvicorn's protocols, and declared for none

    class Reachable(anything):  # type: ignore[misc]  # see above
        app: ASGIApp

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            app = self.app
            connection = _OnSocket(transport)

            def with_connection(scope: Scope, receive: Receive, send: Send) -> Any:  # noqa: ANN401 - what app returns
                # Not a coroutine itself: every request comes through here.
                scope.setdefault("extensions", {})[EXTENSION] = connection
                return app(scope, receive, send)

            self.app = with_connection

    return Reachable
