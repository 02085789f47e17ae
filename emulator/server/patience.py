"""How long and how much the server listens to a client that does not get to the end of its request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from emulator.server.settings import ConnectionSettings

_END_OF_HEAD = b"\r\n\r\n"
_TOO_LONG = b'{"detail":"The request line and headers are too long"}'
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_TOO_LONG), _TOO_LONG)
)


class _Wait(NamedTuple):
    """What a connection waits for, in which request, and since when.

    The request is known weakly: it knows its connection, which is the key that this is kept by.
    """

    limit_s: float
    cycle: ref[Any] | None
    since_s: float


class Patience:
    """Closes the connections of those who take too long; whoever is being answered has all the time there is.

    Looks at all connections from time to time, in place of a timer for each: those are set and cancelled with every
    request, and hardly ever fire.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._waits: WeakKeyDictionary[Any, _Wait] = WeakKeyDictionary()

    def look(self, connections: Iterable[Any], now_s: float) -> None:
        """Close what has waited too long by `now_s`. `connections` are uvicorn's, of whichever parser."""
        for connection in list(connections):
            limit_s, cycle = self._waits_for(connection)
            wait = self._waits.get(connection)
            if limit_s is None:
                self._waits.pop(connection, None)
            elif wait is None or wait.limit_s != limit_s or (wait.cycle and wait.cycle()) is not cycle:
                self._waits[connection] = _Wait(limit_s, None if cycle is None else ref(cycle), now_s)
            elif now_s - wait.since_s >= limit_s:
                connection.transport.abort()

    def _waits_for(self, connection: Any) -> tuple[float | None, object]:  # noqa: ANN401 - untyped in uvicorn
        cycle = connection.cycle
        if cycle is None or cycle.response_complete:
            return self._settings.head_s, cycle
        return self._settings.body_s if cycle.more_body else None, cycle


def bounded(base: type[asyncio.Protocol], settings: ConnectionSettings) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol `base`, of whichever parser, which refuses a head that is too long.

    One of the two parsers has a bound of its own, the other collects headers for as long as they come.
    """
    anything: Any = base  # its attributes are the same in all of uvicorn's protocols, and declared for none

    class Bounded(anything):  # type: ignore[misc]  # see above
        transport: asyncio.Transport
        cycle: Any

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._head_bytes = 0

        def data_received(self, data: bytes) -> None:
            if not self._in_head():
                super().data_received(data)
                return
            room = settings.head_bytes - self._head_bytes
            if len(data) > room and data.find(_END_OF_HEAD, 0, room) < 0:
                self._refuse()
                return
            before = self.cycle
            super().data_received(data)
            self._head_bytes = self._head_bytes + len(data) if self.cycle is before else 0

        def _in_head(self) -> bool:
            return self.cycle is None or not self.cycle.more_body

        def _refuse(self) -> None:
            if self.cycle is None or self.cycle.response_complete:  # else it would stand in the middle of that answer
                self.transport.write(_REFUSAL)
            self.transport.close()

    return Bounded


def allow_connections(wanted: int) -> None:
    """Let this process hold `wanted` open files, as far as the system does: some let it have 256."""
    try:
        import resource
    except ImportError:  # no such limit here
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
