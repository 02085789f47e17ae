"""What every benchmark is made of: times beside a peer's, measured in turn, and the row that tells it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, beside whom, and how many times as long it may take."""

    measured: str
    ours_ms: float
    peer: str
    peer_ms: float
    allowed: float | None = None
    parts: str = ""

    @property
    def ratio(self) -> float:
        return self.ours_ms / self.peer_ms

    @property
    def verdict(self) -> str:
        if self.allowed is None:
            return ""
        return f"{'met' if self.ratio <= self.allowed else 'MISSED'}: at most {self.allowed:g}"


def best_ms(*timed: Callable[[], object], seconds: float = SECONDS) -> list[float]:
    """Milliseconds of each, the best of rounds in which they take turns: only ratios within one run count."""
    best = [float("inf")] * len(timed)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for index, run in enumerate(timed):
            start = time.perf_counter()
            run()
            best[index] = min(best[index], time.perf_counter() - start)
    return [1000 * each for each in best]
