"""Lanes: the order in which callbacks leave for one receiver, and how many connections there are at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from msgspec import Struct

from emulator.clock import Bell
from emulator.server.receivers import Receiver
from emulator.tenants.outbox import Notice
from emulator.tenants.tenant import Tenant

SPACING_S = 0.25
"""So long at most does one callback wait for the answer to the one before it."""

MAX_RECEIVERS_AT_ONCE = 256
MAX_MORE_CONNECTIONS = 64
MAX_PER_RECEIVER = 8


class Parcel(Struct, eq=False):
    """A notice on its way: `tried` is done after its first attempt, `settled` once there will be no other.

    `resets` counts those of the tenant when it was sent on its way."""

    tenant: Tenant
    notice: Notice
    receiver: Receiver
    tried: asyncio.Future[None]
    settled: asyncio.Future[None]
    resets: int

    @property
    def wanted(self) -> bool:
        """Whether it still means anything: a reset of its tenant forgets it."""
        return self.tenant.resets == self.resets

    def was_tried(self) -> None:
        if not self.tried.done():
            self.tried.set_result(None)

    def settle(self) -> None:
        self.was_tried()
        if not self.settled.done():
            self.settled.set_result(None)


class Slots:
    """The connections of all lanes.

    A receiver's first connection is taken from one pool, all others from another and smaller one, so that
    receivers that never answer do not use up the connection of one that does.
    """

    def __init__(self) -> None:
        self._first = asyncio.Semaphore(MAX_RECEIVERS_AT_ONCE)
        self._more = MAX_MORE_CONNECTIONS
        self._freed = Bell()

    async def take(self, lane: Lane) -> None:
        """Wait until `lane` may open one more connection."""
        while lane.open:
            if lane.open < MAX_PER_RECEIVER and self._more:
                self._more -= 1
                lane.open += 1
                return
            await self._freed.wait()
        await self._first.acquire()
        lane.open += 1

    def give_back(self, lane: Lane) -> None:
        lane.open -= 1
        if lane.open:
            self._more += 1
        else:
            self._first.release()
        self._freed.ring()


class Lane:
    """The way to one receiver.

    The next parcel leaves when the one before was answered, or `SPACING_S` after it left: in order for a receiver
    that answers, and not held up for long by one that does not. `held` counts the parcels that are not settled,
    `open` its connections.
    """

    def __init__(
        self, slots: Slots, attempt: Callable[[Parcel], Awaitable[None]], tasks: set[asyncio.Task[None]]
    ) -> None:
        """`attempt` calls the receiver once; `tasks` is where what runs here is kept, for the end."""
        self.held = 0
        self.open = 0
        self._slots = slots
        self._attempt = attempt
        self._tasks = tasks
        self._queue: deque[Parcel] = deque()
        self._moving = False

    def put(self, parcel: Parcel) -> None:
        self._queue.append(parcel)
        if not self._moving:
            self._moving = True
            self._run(self._move())

    async def _move(self) -> None:
        try:
            while self._queue:
                await self._slots.take(self)
                leaving = self._run(self._leave(self._queue.popleft()))
                await asyncio.wait((leaving,), timeout=SPACING_S)
        finally:
            self._moving = False

    async def _leave(self, parcel: Parcel) -> None:
        try:
            await self._attempt(parcel)
        finally:
            self._slots.give_back(self)

    def _run(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
