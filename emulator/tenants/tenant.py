"""A tenant: one organisation with its runs, its queue and its clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from emulator.clock import Clock
from emulator.errors import Conflict, NotFound
from emulator.runs.command import Command, Order
from emulator.runs.run import Run
from emulator.scenario.choice import Queue
from emulator.scenario.model import Scenario
from emulator.statuses import FOLLOWERS, RunStatus
from emulator.tenants.identity import Identity

NO_SUCH_RUN = "Execution not found"


class Tenant:
    """What belongs to one token. Nothing in here is shared with another tenant but the clock it may follow.

    `key` is the hash of the token, which itself is never kept. `added` are scenarios for this tenant alone.
    """

    def __init__(self, key: str, identity: Identity, server_clock: Clock, owners: dict[str, Tenant]) -> None:
        """`owners` is the server's index from ids of runs to tenants, which each keeps up to date."""
        self.key = key
        self._owners = owners
        self.identity = identity
        self.clock = Clock(follows=server_clock)
        self.queue = Queue()
        self.added: tuple[Scenario, ...] = ()
        self.submissions = 0
        self.turns: Counter[str] = Counter()  # how often each scenario with a sequence was taken, by its name
        self.resets = 0
        self._runs: dict[str, Run] = {}
        self._maybe_active: dict[str, None] = {}

    @property
    def run_count(self) -> int:
        # No `__len__`: a tenant without runs would count as false, and `tenant or ...` pass it over.
        return len(self._runs)

    def get(self, execution_id: str) -> Run:
        """The run with this id. Raises NotFound."""
        run = self._runs.get(execution_id)
        if run is None:
            raise NotFound(NO_SUCH_RUN)
        return run

    def find(self, execution_id: str) -> Run | None:
        return self._runs.get(execution_id)

    def newest_first(self) -> Iterator[Run]:
        return reversed(self._runs.values())

    def active(self, now_ms: int) -> list[Run]:
        """The runs that are not over, newest first.

        Costs what it answers, not what is stored: a run that was once seen to be over is not looked at again,
        since time never goes back.
        """
        ended = [run_id for run_id in self._maybe_active if self._runs[run_id].course.ended_by(now_ms)]
        for run_id in ended:
            del self._maybe_active[run_id]
        return [self._runs[run_id] for run_id in reversed(self._maybe_active)]

    def add(self, run: Run) -> None:
        self.submissions += 1
        if run.picked.turn is not None:
            self.turns[run.script.scenario.name] += 1
        self._runs[run.execution_id] = run
        self._maybe_active[run.execution_id] = None
        self._owners[run.execution_id] = self

    def delete(self, execution_id: str, now_ms: int) -> None:
        """Forget a run that is over. Raises NotFound, or Conflict while it is active."""
        run = self.get(execution_id)
        if not run.course.ended_by(now_ms):
            status = run.course.status_at(now_ms)
            raise Conflict(f"Execution is {status}; abort it before deleting it")
        del self._runs[execution_id]
        self._maybe_active.pop(execution_id, None)
        del self._owners[execution_id]

    def abort(self, execution_id: str, now_ms: int) -> Run:
        """Hard stop. Raises NotFound, or Conflict if the run is over."""
        return self._order(execution_id, Command(Order.ABORT, now_ms))

    def complete(self, execution_id: str, now_ms: int) -> Run:
        """Mark an active run completed. Raises NotFound, or Conflict if it is over."""
        return self._order(execution_id, Command(Order.COMPLETE, now_ms))

    def stop(self, execution_id: str, now_ms: int) -> Run:
        """Graceful stop. Raises NotFound for a run that is over, too, as the official client expects."""
        run = self.get(execution_id)
        if run.course.ended_by(now_ms):
            raise NotFound(f"Execution is already {run.course.status_at(now_ms)}")
        if run.course.stopping_ms is not None:
            return run
        return self._order(execution_id, Command(Order.STOP, now_ms))

    def force(self, execution_id: str, to: RunStatus, detail: str | None, now_ms: int) -> Run:
        """Force the next status. Raises NotFound, or Conflict where the lifecycle forbids it."""
        status = self.get(execution_id).course.status_at(now_ms)
        if to not in FOLLOWERS[status]:
            allowed = ", ".join(follower for follower in RunStatus if follower in FOLLOWERS[status])
            may_follow = f"may become {allowed}" if allowed else "is over"
            raise Conflict(f"a run that is {status} cannot become {to}: it {may_follow}")
        return self._order(execution_id, Command(Order.TRANSITION, now_ms, to, detail))

    def _order(self, execution_id: str, command: Command) -> Run:
        run = self.get(execution_id)
        if run.course.ended_by(command.at_ms):
            raise Conflict(f"Execution is already {run.course.status_at(command.at_ms)}")
        self._runs[execution_id] = ordered = run.with_command(command)
        self.clock.bell.ring()
        return ordered

    def reset(self) -> int:
        """Forget everything and follow the server's clock again. Returns how many runs there were."""
        forgotten = len(self._runs)
        for execution_id in self._runs:
            del self._owners[execution_id]
        self._runs.clear()
        self._maybe_active.clear()
        self.queue.clear()
        self.added = ()
        self.submissions = 0
        self.turns.clear()
        self.resets += 1
        self.clock.reset()
        return forgotten
