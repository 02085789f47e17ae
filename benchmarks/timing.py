"""Times of calls in this process, measured in turn."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 3.0


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
