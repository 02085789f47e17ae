"""Where an instant lies in a schedule: its block, the number of repeats before it, its segment."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from emulator.telemetry.noise import Floats, Ints
from emulator.telemetry.schedule import Block, Levels, Rise


@dataclass(frozen=True, slots=True)
class Place:
    """One entry per instant; `into` and `left` are seconds from the segment's start and to its end."""

    block: Ints
    segment: Ints
    repeats: Ints
    into: Floats
    left: Floats

    def first(self, count: int) -> Place:
        return Place(*(getattr(self, entry.name)[:count] for entry in fields(self)))


@dataclass(frozen=True, slots=True)
class Axis:
    """All blocks' segments laid end to end, each block once."""

    block_start_ms: Ints
    block_period_ms: Ints
    block_first_ms: Ints
    segment_start_ms: Ints
    segment_end_ms: Ints

    def locate(self, t_ms: Ints) -> Place:
        """The places of instants counted from the schedule's origin, none before its first block."""
        block = np.searchsorted(self.block_start_ms, t_ms, "right") - 1
        elapsed = t_ms - self.block_start_ms[block]
        period = self.block_period_ms[block]
        repeats = elapsed // period
        position = elapsed - repeats * period + self.block_first_ms[block]
        segment = np.searchsorted(self.segment_start_ms, position, "right") - 1
        into = (position - self.segment_start_ms[segment]) / 1000.0
        return Place(block, segment, repeats, into, (self.segment_end_ms[segment] - position) / 1000.0)


def axis(blocks: tuple[Block, ...]) -> tuple[Axis, Levels]:
    """The axis of these blocks, and their levels along it."""
    names = [entry.name for entry in fields(Levels)]
    levels = Levels(*(np.concatenate([getattr(block.levels, name) for block in blocks]) for name in names))
    starts = np.array([block.start_ms for block in blocks], dtype=np.int64)
    periods = np.array([int(block.levels.length_ms.sum()) for block in blocks], dtype=np.int64)
    ends = np.cumsum(levels.length_ms)
    return Axis(starts, periods, np.cumsum(periods) - periods, ends - levels.length_ms, ends), levels


@dataclass(frozen=True, slots=True)
class Level:
    """Rises one after another, as one function of time."""

    start_ms: Ints
    low: Floats
    high: Floats
    lasts_ms: Ints

    @staticmethod
    def of(rises: tuple[Rise, ...]) -> Level:
        return Level(
            np.array([rise.start_ms for rise in rises], dtype=np.int64),
            np.array([rise.low for rise in rises]),
            np.array([rise.high for rise in rises]),
            np.array([max(1, rise.lasts_ms) for rise in rises], dtype=np.int64),
        )

    def at(self, t_ms: Ints) -> Floats:
        index = np.searchsorted(self.start_ms, t_ms, "right") - 1
        share = np.minimum(1.0, (t_ms - self.start_ms[index]) / self.lasts_ms[index])
        low = self.low[index]
        level: Floats = low + (self.high[index] - low) * share
        return level
