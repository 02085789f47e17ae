"""The courier: delivers callbacks when the clocks of their runs reach them, and moves no clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import orjson

from emulator.clock import Clock, wall_ms
from emulator.errors import CallbackRefused
from emulator.runs.callbacks import masked
from emulator.server import wire
from emulator.server.lanes import Lane, Parcel, Slots
from emulator.server.post import Unanswered, post
from emulator.server.receivers import Gate
from emulator.server.settings import CallbackSettings
from emulator.tenants.journal import Exchange, Journal
from emulator.tenants.outbox import Attempt, Notice, NoticeState
from emulator.tenants.tenant import Tenant

log = logging.getLogger(__name__)

MAX_WAITING = 10_000
MAX_WAITING_PER_RECEIVER = 1_000
MAX_LAST_WORDS = 100
"""So many lines at most are logged about what a server that stops has not delivered."""

_STOPPED = "the server stopped first"


class Courier:
    """Delivers what the outboxes of tenants owe. One for each server, used from its event loop alone.

    A tenant whose runs owe something is watched by a task that sleeps until its clock reaches the next delivery,
    or its bell rings. What fell due becomes a parcel, which its receiver's lane takes away. `observers` are told when
    it is known what became of a callback.
    """

    def __init__(self, settings: CallbackSettings, journal: Journal) -> None:
        self._journal = journal
        self.gate = Gate(settings.hosts)
        self._settings = settings
        self._watches: dict[Tenant, asyncio.Task[None]] = {}
        self.observers: list[Callable[[], None]] = []
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots = Slots()
        self._lanes: dict[tuple[str, str, int], Lane] = {}
        self._parcels: dict[Parcel, None] = {}
        self._retries: dict[Parcel, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self, tenant: Tenant) -> None:
        """See to what `tenant` owes, now that it may owe more."""
        if not tenant.outbox.owes:
            return  # as nearly always: few clients ask to be called
        self._enter_loop()
        task = self._watches.get(tenant)
        if task is None or task.done():
            self._watches[tenant] = asyncio.ensure_future(self._watch(tenant))

    def fallen_due(self, moved: Clock) -> Awaitable[None] | None:
        """After a clock was moved: hand over all that fell due by it, in the order of its instants.

        Returns what to wait for until each of it was attempted once, but no longer than the settings say; None if
        there is nothing to wait for.
        """
        if not self._watches and not self._parcels:
            return None
        self._enter_loop()
        tenants = [tenant for tenant in self._watches if tenant.clock.moves_with(moved)]
        for tenant in tenants:
            self.watch(tenant)
        self._hand_over(*tenants)
        untried = [
            parcel.tried
            for parcel in self._parcels
            if parcel.wanted and parcel.tenant.clock.moves_with(moved) and not parcel.tried.done()
        ]
        return self._wait(untried) if untried else None

    async def _wait(self, untried: list[asyncio.Future[None]]) -> None:
        await asyncio.wait(untried, timeout=self._settings.advance_s)

    async def stop(self) -> None:
        """Attempt at once what is due or waits to be repeated, and cut off what takes longer than the settings say."""
        self._stopping = True
        if self._loop is not None:
            self._hand_over(*self._watches)
            for parcel in list(self._retries):
                self._retries.pop(parcel).cancel()
                self._depart(parcel)
            if self._parcels:
                await asyncio.wait([parcel.settled for parcel in self._parcels], timeout=self._settings.grace_s)
            tasks = [*self._tasks, *self._watches.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for parcel in self._parcels:
                parcel.settle()  # an advance may be waiting

    def record_rest(self) -> None:
        """After the stop: nothing that is due will be delivered any more."""
        lost = [(parcel.tenant, parcel.notice) for parcel in self._parcels if parcel.wanted]
        lost += self._fallen_due(*self._watches)
        for tenant, notice in lost:
            self._close(tenant, notice, NoticeState.FAILED, _STOPPED)
        for _, notice in lost[:MAX_LAST_WORDS]:
            _warn(notice)
        if len(lost) > MAX_LAST_WORDS:
            log.warning("and %d more callbacks were not delivered: %s", len(lost) - MAX_LAST_WORDS, _STOPPED)
        for parcel in list(self._parcels):
            self._put_away(parcel)

    async def _watch(self, tenant: Tenant) -> None:
        try:
            while tenant.outbox.owes:
                self._hand_over(tenant)
                if tenant.outbox.owes:
                    await tenant.clock.watch(tenant.outbox.next_due_ms())
        finally:
            if not tenant.outbox.owes:
                self._watches.pop(tenant, None)

    def _hand_over(self, *tenants: Tenant) -> None:
        for tenant, notice in sorted(self._fallen_due(*tenants), key=lambda pair: pair[1].delivery.due_ms or 0):
            self._dispatch(tenant, notice)

    def _fallen_due(self, *tenants: Tenant) -> list[tuple[Tenant, Notice]]:
        return [(tenant, notice) for tenant in tenants for notice in tenant.outbox.fall_due(tenant.clock.now_ms())]

    def _dispatch(self, tenant: Tenant, notice: Notice) -> None:
        try:
            receiver = self.gate.receiver(notice.delivery.url)
        except CallbackRefused as refused:
            self._never_depart(tenant, notice, NoticeState.REFUSED, str(refused))
            return
        lane = self._lanes.get(receiver.lane)
        if len(self._parcels) >= MAX_WAITING:
            self._never_depart(tenant, notice, NoticeState.DROPPED, f"{MAX_WAITING} callbacks are waiting already")
        elif lane is not None and lane.held >= MAX_WAITING_PER_RECEIVER:
            why = f"{lane.held} callbacks are waiting for this receiver already"
            self._never_depart(tenant, notice, NoticeState.DROPPED, why)
        else:
            loop = asyncio.get_running_loop()
            parcel = Parcel(tenant, notice, receiver, loop.create_future(), loop.create_future(), tenant.resets)
            if lane is None:
                lane = self._lanes[receiver.lane] = Lane(self._slots, self._attempt, self._tasks)
            lane.held += 1
            self._parcels[parcel] = None
            self._depart(parcel)

    def _never_depart(self, tenant: Tenant, notice: Notice, state: NoticeState, detail: str) -> None:
        self._give_up(tenant, notice, state, detail)
        self._tell(tenant, notice, Attempt(wall_ms(), 0.0, error=f"{state}: {detail}"))

    def _depart(self, parcel: Parcel) -> None:
        self._retries.pop(parcel, None)
        self._lanes[parcel.receiver.lane].put(parcel)

    async def _attempt(self, parcel: Parcel) -> None:
        if not parcel.wanted:
            self._put_away(parcel)
            return
        loop = asyncio.get_running_loop()
        at_ms, began = wall_ms(), loop.time()
        body = orjson.dumps(wire.completion(parcel.notice.run))
        code, error, refusal = None, None, None
        try:
            code = await post(self.gate, parcel.receiver, body, limit_s=self._settings.limit_s)
        except CallbackRefused as refused:
            refusal = error = str(refused)
        except Unanswered as unanswered:
            error = str(unanswered)
        except asyncio.CancelledError:
            self._record(parcel, Attempt(at_ms, loop.time() - began, error=_STOPPED))
            raise
        self._record(parcel, Attempt(at_ms, loop.time() - began, code, error))
        if refusal is not None:
            self._conclude(parcel, NoticeState.REFUSED, refusal)
        elif code is not None and 200 <= code < 300:
            self._conclude(parcel, NoticeState.DELIVERED, None)
        elif code is None or code == 429 or code >= 500:
            self._repeat(parcel, error or f"the receiver answers {code}")
        else:
            self._conclude(parcel, NoticeState.FAILED, f"the receiver answers {code}")

    def _record(self, parcel: Parcel, attempt: Attempt) -> None:
        """Every attempt passes through here."""
        parcel.notice.attempts.append(attempt)
        if parcel.wanted:
            self._tell(parcel.tenant, parcel.notice, attempt)

    def _tell(self, tenant: Tenant, notice: Notice, attempt: Attempt) -> None:
        """Write a call, or that it is not made, into the journal of its tenant."""
        self._journal.add(
            Exchange(
                "POST",
                masked(notice.delivery.url),
                "",
                attempt.at_ms,
                caller=tenant.key,
                at_ms=notice.delivery.due_ms,
                execution_id=notice.run.execution_id,
                status_code=attempt.status_code or 0,
                duration_us=round(attempt.seconds * 1e6),
                refusal=attempt.error,
                callback=True,
            )
        )

    def _repeat(self, parcel: Parcel, trouble: str) -> None:
        """Try again later, if there is a later."""
        attempts = len(parcel.notice.attempts)
        if self._stopping or attempts > len(self._settings.retries_s):
            self._conclude(parcel, NoticeState.FAILED, f"{trouble}, {'once' if attempts == 1 else f'{attempts} times'}")
            return
        delay_s = self._settings.retries_s[attempts - 1]
        self._retries[parcel] = asyncio.get_running_loop().call_later(delay_s, self._depart, parcel)
        parcel.was_tried()

    def _conclude(self, parcel: Parcel, state: NoticeState, detail: str | None) -> None:
        if parcel.wanted and state is NoticeState.DELIVERED:
            self._close(parcel.tenant, parcel.notice, state, detail)
        elif parcel.wanted:
            self._give_up(parcel.tenant, parcel.notice, state, detail)
        self._put_away(parcel)

    def _put_away(self, parcel: Parcel) -> None:
        parcel.settle()
        del self._parcels[parcel]
        lane = self._lanes[parcel.receiver.lane]
        lane.held -= 1
        if not lane.held:
            del self._lanes[parcel.receiver.lane]

    def _give_up(self, tenant: Tenant, notice: Notice, state: NoticeState, detail: str | None) -> None:
        self._close(tenant, notice, state, detail)
        _warn(notice)

    def _close(self, tenant: Tenant, notice: Notice, state: NoticeState, detail: str | None) -> None:
        """Every callback ends here, whatever became of it."""
        tenant.outbox.close(notice, state, detail)
        for observe in self.observers:
            observe()

    def _enter_loop(self) -> None:
        """Begin anew in an event loop that is not the last one, as in-process clients may have one for each call."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        for parcel in self._parcels:
            if parcel.wanted:
                why = "the event loop that was to deliver it has ended"
                self._give_up(parcel.tenant, parcel.notice, NoticeState.FAILED, why)
        self._loop, self._slots = loop, Slots()
        self._lanes, self._parcels, self._retries, self._tasks = {}, {}, {}, set()


def _warn(notice: Notice) -> None:
    log.warning(
        "callback of run %s to %s %s: %s",
        notice.run.execution_id,
        masked(notice.delivery.url),
        notice.state,
        notice.detail,
    )
