"""A response's head and body in one write to the socket, where uvicorn makes two.

A write is a system call and a packet of its own on the way to the client, and takes as long as most of an answer does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_HEAD = b"HTTP/"


class OneWrite:
    """A transport that keeps the head of a response back until its body comes, or until the event loop's next turn.

    Bytes never change their order. What is no head goes out at once, so that whoever writes much learns at once when
    the client does not keep up.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._write = transport.write
        self._call_soon: Callable[[Callable[[], None]], object] = asyncio.get_running_loop().call_soon
        self._head: bytes | None = None
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        head = self._head
        if head is not None:
            self._head = None
            if data:
                self._transport.writelines((head, data))
            else:  # an empty piece keeps asyncio's own transport busy for ever, from Python 3.12 on
                self._write(head)
        elif data[:5] == _HEAD:
            self._head = data
            self._call_soon(self.flush)  # a stream's first event may be long in coming
        else:
            self._write(data)

    def flush(self) -> None:
        head = self._head
        if head is not None:
            self._head = None
            if not self.is_closing():  # else the client has gone since, and uvloop takes no more
                self._write(head)

    def get_write_buffer_size(self) -> int:
        self.flush()
        return self._transport.get_write_buffer_size()

    def close(self) -> None:
        self.flush()
        self._transport.close()


def in_one_write(base: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol `base`, of whichever parser, over such a transport."""
    anything: Any = base  # its attributes are the same in all of uvicorn's protocols, and declared for none

    class InOneWrite(anything):  # type: ignore[misc]  # see above
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(OneWrite(transport))

    return InOneWrite
