"""What a scenario leaves open between two ends: durations, numbers, and what changes from one end to the other."""

from __future__ import annotations

from msgspec import Struct


class DurationRange(Struct, frozen=True):
    """`4s` (both ends alike) or `35s..50s`, from which the run's seed draws."""

    low_ms: int
    high_ms: int

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to draw."""
        return self.low_ms == self.high_ms


class NumberRange(Struct, frozen=True):
    """`2..9`: one draw from the seed each time it is used. Integer when both ends are."""

    low: float
    high: float


class Ramp(Struct, frozen=True):
    """`{from: 2.4, to: 0.9}`: linear over the stretch it belongs to."""

    start: float
    end: float
