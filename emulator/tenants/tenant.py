"""A tenant: one organisation with its runs, its queue and its clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emulator.clock import Clock, ClockSettings
from emulator.errors import Conflict, NotFound
from emulator.faults.standing import Standing, Standings, of_run
from emulator.runs.command import Command, Order
from emulator.runs.run import Run
from emulator.scenario.choice import Queue
from emulator.scenario.model import Scenario
from emulator.statuses import FOLLOWERS, RunStatus
from emulator.tenants.environment import Environment
from emulator.tenants.identity import Identity
from emulator.tenants.ledger import Ledger
from emulator.tenants.outbox import Outbox

if TYPE_CHECKING:
    from emulator.scenario.library import Library

NO_SUCH_RUN = "Execution not found"


class Tenant:
    """What belongs to one token. Nothing in here is shared with another tenant but the clock it may follow.

    `key` is the hash of the token, which itself is never kept. `added` are scenarios for this tenant alone,
    `composed` what they came to last: of which library and which of them, and the library with them.
    """

    def __init__(
        self,
        key: str,
        identity: Identity,
        server_clock: Clock,
        owners: dict[str, Tenant],
        armed: set[str] | None = None,
    ) -> None:
        """`owners` and `armed` are the server's, and kept up to date by each tenant: the index from ids of runs to
        tenants, and the marks of those that have faults.
        """
        self.key = key
        self._owners = owners
        self._armed = set() if armed is None else armed
        self.faults = Standings(key, self._armed)
        self._faults_of_runs: dict[str, tuple[Standing, ...]] = {}
        self.identity = identity
        self.clock = Clock(follows=server_clock)
        self.queue = Queue()
        self.environment = Environment(identity)
        self.outbox = Outbox()
        self.added: tuple[Scenario, ...] = ()
        self.composed: tuple[Library, tuple[Scenario, ...], Library] | None = None
        self.seed: int | None = None  # in place of the server's seed and the token, for what is drawn
        self.submissions = 0
        self.turns: Counter[str] = Counter()  # how often each scenario with a sequence was taken, by its name
        self.resets = 0
        self._runs: dict[str, Run] = {}
        self._maybe_active: dict[str, None] = {}
        self._ledger = Ledger()  # of the other runs

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
        active = []
        for run in map(self._runs.__getitem__, self._maybe_active):
            if run.course.ended_by(now_ms):
                self._ledger.enter(run, now_ms)
            else:
                active.append(run)
        if len(active) < len(self._maybe_active):
            # A new dict, since one that was large is gone through at its old length, however little is left in it.
            self._maybe_active = dict.fromkeys(run.execution_id for run in active)
        active.reverse()
        return active

    def account(self, now_ms: int) -> Ledger:
        """All runs added up. Costs, like `active`, what is not over."""
        active = self.active(now_ms)
        return self._ledger.with_runs(active, now_ms)

    def add(self, run: Run) -> None:
        """Keep a new run, and its children: one submission, however many they are."""
        self.submissions += 1
        if run.picked.turn is not None:
            self.turns[run.script.scenario.name] += 1
        for each in (*reversed(run.children), run):  # newest first, a parent comes before its children
            self._runs[each.execution_id] = each
            self._maybe_active[each.execution_id] = None
            self._owners[each.execution_id] = self
            self.outbox.put(each)
            if each.script.scenario.faults:
                self._armed.add(each.execution_id)

    def delete(self, execution_id: str, now_ms: int) -> None:
        """Forget a run that is over, and its children with it.

        Raises NotFound, or Conflict while it is active, or for a child, which is part of its parent's results
        (inferred).
        """
        run = self.get(execution_id)
        if not run.course.ended_by(now_ms):
            status = run.course.status_at(now_ms)
            raise Conflict(f"Execution is {status}; abort it before deleting it")
        if run.parent_id is not None:
            raise Conflict(f"Execution belongs to the GPU selection {run.parent_id}; delete that one")
        for each in (run, *run.children):
            del self._runs[each.execution_id]
            if each.execution_id in self._maybe_active:
                del self._maybe_active[each.execution_id]
            else:
                self._ledger.strike(each, now_ms)
            self.outbox.forget(each)
            del self._owners[each.execution_id]
            self._disarm(each.execution_id)

    def faults_of(self, run: Run) -> tuple[Standing, ...]:
        """The faults that the run's scenario brings, with what each did so far."""
        if not run.script.scenario.faults:
            return ()
        found = self._faults_of_runs.get(run.execution_id)
        if found is None:
            scenario = run.script.scenario
            found = of_run(scenario.faults, scenario.name, run.submitted_ms, run.script.seed)
            self._faults_of_runs[run.execution_id] = found
        return found

    def _disarm(self, execution_id: str) -> None:
        self._armed.discard(execution_id)
        self._faults_of_runs.pop(execution_id, None)

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
        ordered = run.with_command(command)
        self._renew(ordered)
        self.clock.bell.ring()
        return ordered

    def _renew(self, changed: Run) -> None:
        """Keep a newer value of a run, of its children, and of the parent whose child it is."""
        parent = None if changed.parent_id is None else self._runs[changed.parent_id].with_child(changed)
        for each in (changed, *changed.children, *(() if parent is None else (parent,))):
            self._runs[each.execution_id] = each
            self.outbox.revise(each)

    def become(self, identity: Identity) -> None:
        """Be known by another identity, once everything was forgotten: that of another seed of the server."""
        self.identity = identity
        self.environment = Environment(identity)

    def begin(self, *, clock: ClockSettings | None, seed: int | None) -> None:
        """Give a tenant that was reset a clock and a seed of its own; what is None stays as it is."""
        if clock is not None:
            self.clock.reset(clock)
        self.seed = seed

    def reset(self) -> int:
        """Forget everything and follow the server's clock again. Returns how many runs there were."""
        forgotten = len(self._runs)
        for execution_id in self._runs:
            del self._owners[execution_id]
            self._disarm(execution_id)
        self.faults.reset()
        self._runs.clear()
        self._maybe_active.clear()
        self._ledger.clear()
        self.queue.clear()
        self.environment.reset()
        self.outbox.clear()
        self.added = ()
        self.composed = None
        self.seed = None
        self.submissions = 0
        self.turns.clear()
        self.resets += 1
        self.clock.reset()
        return forgotten
