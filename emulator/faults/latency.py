"""How long an answer is held back: drawn for each from a range, or with a long tail."""

from __future__ import annotations

import math
from typing import TypeAlias

from msgspec import Struct

MAX_MS = 60_000
"""No answer is held back longer: a client that waits so long has a time limit of its own."""

_P99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""


class Uniform(Struct, frozen=True):
    """Any time of a range, each as likely; a fixed one has both ends alike. Milliseconds."""

    low_ms: int
    high_ms: int

    def drawn_ms(self, uniform: float) -> int:
        """The latency that a number from [0, 1) stands for."""
        return self.low_ms + int(uniform * (self.high_ms - self.low_ms + 1))


class LogNormal(Struct, frozen=True):
    """Mostly near the median, sometimes far above: log-normal, as latencies of services are. Milliseconds."""

    median_ms: int
    p99_ms: int

    def drawn_ms(self, uniform: float) -> int:
        """The latency that a number from [0, 1) stands for, at most `MAX_MS`."""
        from statistics import NormalDist  # late: brings fractions and decimals, which no start should wait for

        if self.median_ms == 0:
            return 0
        sigma = math.log(self.p99_ms / self.median_ms) / _P99
        deviations = NormalDist().inv_cdf(min(max(uniform, 1e-9), 1 - 1e-9))
        return min(MAX_MS, round(self.median_ms * math.exp(sigma * deviations)))


Latency: TypeAlias = Uniform | LogNormal
