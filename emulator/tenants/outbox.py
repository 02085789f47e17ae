"""A tenant's outbox: the callbacks that its runs owe, those that fell due, and what became of them."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from emulator.runs.callbacks import Delivery, deliveries
from emulator.runs.run import Run


class NoticeState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    DROPPED = "dropped"


class Attempt(Struct, frozen=True):
    """One call of a URL: when (wall time), what came back or what went wrong, and how long it took."""

    at_ms: int
    seconds: float
    status_code: int | None = None
    error: str | None = None


class Notice(Struct, eq=False):
    """A delivery and what became of it; `detail` says why it was not delivered."""

    run: Run
    delivery: Delivery
    state: NoticeState = NoticeState.WAITING
    detail: str | None = None
    attempts: list[Attempt] = field(default_factory=list)


class _Debt(Struct):
    """A run some of whose deliveries are not due yet.

    `number` counts the runs as they were submitted; `left` is how many are to fall due.
    """

    run: Run
    number: int
    revision: int
    left: int


class Outbox:
    """What is owed is kept until it is settled, whatever happens to the run; what became of it, as long as the run is.

    Costs nothing for runs without callback URLs.
    """

    def __init__(self) -> None:
        self._debts: dict[str, _Debt] = {}
        self._notices: dict[str, dict[int, Notice]] = {}
        self._deleted: dict[str, Run] = {}
        self._numbered = 0
        # (due, number of the run, place among its deliveries, id, revision): those of an older revision are void, and
        # those that are settled. They go when their turn comes, since to look for them costs the whole calendar.
        self._calendar: list[tuple[int, int, int, str, int]] = []

    @property
    def owes(self) -> bool:
        """Whether anything is to fall due."""
        return bool(self._debts)

    def put(self, run: Run) -> None:
        """Owe what a new run asks for."""
        if owed := deliveries(run):
            self._numbered += 1
            self._debts[run.execution_id] = debt = _Debt(run, self._numbered, 0, len(owed))
            self._enter(debt)

    def revise(self, run: Run) -> None:
        """A run has taken a command, which may have moved its end. An end that was told is not taken back."""
        debt = self._debts.get(run.execution_id)
        if debt is not None and run.execution_id not in self._notices:
            debt.run = run
            debt.revision += 1
            self._enter(debt)

    def _enter(self, debt: _Debt) -> None:
        for place, delivery in enumerate(deliveries(debt.run)):
            if delivery.due_ms is not None:
                entry = (delivery.due_ms, debt.number, place, debt.run.execution_id, debt.revision)
                heapq.heappush(self._calendar, entry)

    def next_due_ms(self) -> int | None:
        """When the next delivery falls due, as far as that is fixed."""
        while self._calendar:
            due_ms, _, place, execution_id, revision = self._calendar[0]
            debt = self._debts.get(execution_id)
            if debt is not None and debt.revision == revision and place not in self._notices.get(execution_id, ()):
                return due_ms
            heapq.heappop(self._calendar)
        return None

    def fall_due(self, now_ms: int) -> list[Notice]:
        """What is due by `now_ms` and was not before: by instant, then as the runs and their URLs were submitted."""
        due = []
        owed: dict[str, Sequence[Delivery]] = {}  # a run may owe hundreds
        while (next_ms := self.next_due_ms()) is not None and next_ms <= now_ms:
            _, _, place, execution_id, _ = heapq.heappop(self._calendar)
            debt = self._debts[execution_id]
            if execution_id not in owed:
                owed[execution_id] = deliveries(debt.run)
            notice = Notice(debt.run, owed[execution_id][place])
            self._notices.setdefault(execution_id, {})[place] = notice
            due.append(notice)
            debt.left -= 1
            if not debt.left:
                del self._debts[execution_id]
        return due

    def of(self, run: Run) -> list[Notice]:
        """Everything that `run` owes or owed, in the order in which it falls due."""
        fallen = self._notices.get(run.execution_id, {})
        return [fallen.get(place) or Notice(run, delivery) for place, delivery in enumerate(deliveries(run))]

    def settle(self, execution_id: str, notices: Mapping[int, Notice]) -> None:
        """Know what became of some of a run's deliveries, by their place among them: they are owed no more."""
        debt = self._debts.get(execution_id)
        if debt is None or not notices:
            return
        self._notices[execution_id] = dict(notices)
        debt.left -= len(notices)
        if debt.left <= 0:
            del self._debts[execution_id]

    def close(self, notice: Notice, state: NoticeState, detail: str | None) -> None:
        """Note what became of a delivery that fell due: there will be no other attempt."""
        notice.state, notice.detail = state, detail
        if notice.run.execution_id in self._deleted:
            self.forget(notice.run)

    def forget(self, run: Run) -> None:
        """Nobody will ask for this run any more; what it owes is still owed."""
        if any(notice.state is NoticeState.WAITING for notice in self.of(run)):
            self._deleted[run.execution_id] = run
        else:
            self._deleted.pop(run.execution_id, None)
            self._notices.pop(run.execution_id, None)

    def deleted(self) -> Sequence[Run]:
        """The runs that were deleted and still owe something, in the order in which they were."""
        return tuple(self._deleted.values())

    def clear(self) -> None:
        self._debts.clear()
        self._notices.clear()
        self._deleted.clear()
        self._calendar.clear()
