"""Fits the weights of `tests/telemetry/fleets.yaml`: `python -m benchmarks.telemetry_fit` prints them.

Nothing but the weights moves. They are fitted on runs of their own; the table in the docs and the test judge them
by others.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np

from benchmarks.telemetry_calibration import FITTED_ON, SERIES, UTILIZATION, fleets, seen
from emulator.telemetry.noise import Floats

_RUNS = 150


class Fleet:
    """The distributions of a mix's shapes, from which those of any weights follow."""

    def __init__(self, fleet: Mapping[str, Any]) -> None:
        shapes = [part["shape"] for part in fleet["mix"]]
        pools = [
            seen(shape, range(FITTED_ON + number * 100_000, FITTED_ON + number * 100_000 + _RUNS))
            for number, shape in enumerate(shapes)
        ]
        self._values = {name: np.unique(np.concatenate([pool[name] for pool in pools])) for name in pools[0]}
        self._shares = {
            name: np.array([np.searchsorted(np.sort(pool[name]), values, "right") / len(pool[name]) for pool in pools])
            for name, values in self._values.items()
        }
        self._published = fleet["published"]

    def miss(self, weights: Floats) -> float:
        """The sum of squares of all misses, each as a share of what is allowed."""
        misses = []
        for quantity, allowed in (("power_w", None), ("temperature_celsius", 5.0)):
            for percentile, published in self._published[quantity].items():
                # The worse of a percent to either side: a share must not end just where a percentile is read.
                near = [int(percentile[1:]) / 100 + side for side in (-0.01, 0.01)]
                off = [self._quantile(SERIES[quantity], weights, share) - published for share in near]
                misses.append(max(map(abs, off)) / (allowed or 0.15 * published))
        zeros, median = weights @ self._shares[UTILIZATION][:, 0], self._quantile(UTILIZATION, weights, 0.5)
        misses += [(zeros - 0.25) / 0.05, max(0.0, 97 - median, median - 99)]
        return float(np.sum(np.square(misses)))

    def _quantile(self, name: str, weights: Floats, share: float) -> float:
        reached = weights @ self._shares[name]
        return float(self._values[name][np.searchsorted(reached, share - 1e-12)])


def fitted(fleet: Mapping[str, Any]) -> list[int]:
    """Whole percents, from even shares downhill by moving a few of them from one workload to another."""
    distributions, count = Fleet(fleet), len(fleet["mix"])
    percents = np.full(count, 100 // count)
    percents[0] += 100 - percents.sum()
    best = distributions.miss(percents / 100)
    for step in (8, 4, 2, 1):
        moved = True
        while moved:
            moved = False
            for giver, taker in permutations(range(count), 2):
                tried = percents.copy()
                tried[giver] -= step
                tried[taker] += step
                if tried[giver] >= 0 and (miss := distributions.miss(tried / 100)) < best - 1e-9:
                    percents, best, moved = tried, miss, True
    return [int(percent) for percent in percents]


def main() -> None:
    for name, fleet in fleets().items():
        print(name, dict(zip([part["shape"] for part in fleet["mix"]], fitted(fleet), strict=True)))


if __name__ == "__main__":
    main()
