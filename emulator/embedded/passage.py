"""One request through an application whose event loop runs in another thread."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from threading import Condition
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Receive

from emulator.server.connection import EXTENSION

__tracebackhide__ = True

Message: TypeAlias = MutableMapping[str, Any]

HIGH_WATER_BYTES = 1 << 20
"""An answer that nobody reads is made no further than this ahead."""


class Passage:
    """The way of one request into the application, and of its answer out of it.

    `take` belongs to the thread that asks, what begins with an underscore to the application's loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, app: ASGIApp, scope: dict[str, Any], body: bytes) -> None:
        self._loop = loop
        self._app = app
        self._scope = scope | {"extensions": {EXTENSION: _Connection(self)}}
        self._body: bytes | None = body
        self._made: list[Message] = []  # by the application, and not yet shown to who asks
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._changed = Condition()
        self._shown: list[Message] = []
        self._shown_bytes = 0
        self._over = False

    def take(self, timeout_s: float | None = None) -> list[Message]:
        """What the application has answered since; waits for the first of it. Nothing, once the answer is over.

        Raises TimeoutError if nothing comes within `timeout_s` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._shown or self._over, timeout_s):
                raise TimeoutError
            taken, self._shown = self._shown, []
            was_full = self._shown_bytes >= HIGH_WATER_BYTES
            self._shown_bytes = 0
        if was_full:
            self._tell(self._room.set)
        return taken

    def abandon(self) -> None:
        """Nobody waits for the rest of the answer any more."""
        if not self._over:
            self._tell(self._cancel)

    def end(self) -> None:
        """The answer ends here: it is complete, or its application is gone."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def begin(self) -> None:
        """Start the request; called in the application's loop."""
        if not self._over:
            self._task = self._loop.create_task(self._run())

    def _tell(self, callback: Any) -> None:  # noqa: ANN401  a callable without arguments
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the loop has ended, and with it all that it could be told
            self.end()

    def _cancel(self) -> None:
        if self._task is None:
            self.end()
        else:
            self._task.cancel()

    async def break_off(self) -> None:
        """End the answer where it is; called by the application in the middle of it, which ends there as well."""
        self._show()
        self.end()
        self._cancel()
        await asyncio.sleep(0)  # where it is cancelled

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        finally:
            self._show()
            self.end()

    async def _receive(self) -> Message:
        if self._body is None:
            await asyncio.get_running_loop().create_future()  # who goes away cancels all of this
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Message) -> None:
        self._made.append(message)
        if message["type"] == "http.response.start":
            # Most answers are one piece, made at once: then head and body wake the reader together.
            self._loop.call_soon(self._show)
            return
        if self._show() >= HIGH_WATER_BYTES:
            self._room.clear()
            await self._room.wait()

    def _show(self) -> int:
        """Hand over what was made. Returns how many bytes wait to be taken."""
        with self._changed:
            if self._made:
                self._shown += self._made
                self._shown_bytes += sum(len(message.get("body", b"")) for message in self._made)
                self._made = []
                self._changed.notify_all()
            return self._shown_bytes


class _Connection:
    """A passage as a connection that a fault breaks: its answer ends short, or never begins."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def reset(self, _receive: Receive) -> None:
        await self._passage.break_off()

    async def close(self, _receive: Receive) -> None:
        await self._passage.break_off()
