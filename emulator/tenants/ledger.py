"""What a tenant's runs come to: those that are over are added up once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from emulator.runs.billing import billed_millionths
from emulator.runs.run import Run
from emulator.statuses import RunStatus


class Ledger:
    """How many runs have each status, and what they cost together, in millionths of a US dollar."""

    def __init__(self) -> None:
        self.counts: Counter[RunStatus] = Counter()
        self.millionths = 0

    def enter(self, run: Run, now_ms: int) -> None:
        """Add a run. What is kept are those that are over: they never cost another amount."""
        self._add(run, now_ms, 1)

    def strike(self, run: Run, now_ms: int) -> None:
        """Take a run out again that was entered."""
        self._add(run, now_ms, -1)

    def _add(self, run: Run, now_ms: int, sign: int) -> None:
        self.counts[run.course.status_at(now_ms)] += sign
        self.millionths += sign * billed_millionths(run, now_ms)

    def with_runs(self, runs: Iterable[Run], now_ms: int) -> Ledger:
        """The same and these runs, as they are now."""
        extended = Ledger()
        extended.counts.update(self.counts)
        extended.millionths = self.millionths
        for run in runs:
            extended.enter(run, now_ms)
        return extended

    def clear(self) -> None:
        self.counts.clear()
        self.millionths = 0
