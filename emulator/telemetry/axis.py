"""Where an instant lies in a schedule: the segment, the number of repeats before it, the time to its edges."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

import numpy as np

from emulator.telemetry.noise import Floats, Ints
from emulator.telemetry.schedule import Block, Levels


class Place(NamedTuple):
    """One entry per instant; `into_s` and `left_s` are seconds from the segment's start and to its end.

    `repeated_ms` is the time that the repeats before this one took. `is_repeated` tells whether there is any.
    """

    segment: Ints
    repeats: Floats
    repeated_ms: Floats
    into_s: Floats
    left_s: Floats
    is_repeated: bool

    def last(self, count: int) -> Place:
        """The places of the last `count` instants."""
        repeats, repeated_ms = self.repeats[-count:], self.repeated_ms[-count:]
        is_repeated = self.is_repeated and bool(np.count_nonzero(repeats))
        into_s, left_s = self.into_s[-count:], self.left_s[-count:]
        return Place(self.segment[-count:], repeats, repeated_ms, into_s, left_s, is_repeated)


class Axis:
    """All blocks' segments laid end to end, each block once.

    Times are floats that hold whole milliseconds: exact up to 2**53, and faster to divide than integers.
    """

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        names = [entry.name for entry in fields(Levels)]
        self.levels = Levels(*(np.concatenate([getattr(b.levels, name) for b in blocks]) for name in names))
        self.block = np.repeat(np.arange(len(blocks)), [len(b.levels.length_ms) for b in blocks])
        """Of each segment."""
        self.block_start_ms = np.array([block.start_ms for block in blocks], dtype=np.float64)
        periods = np.array([block.levels.length_ms.sum() for block in blocks], dtype=np.float64)
        # Searching gives the number of starts passed, so both tables have an entry in front that is never read.
        blocks_ms = np.stack([self.block_start_ms, periods, np.cumsum(periods) - periods])
        self._blocks_ms = np.concatenate([blocks_ms[:, :1], blocks_ms], axis=1)
        ends = np.cumsum(self.levels.length_ms).astype(np.float64)
        self._starts_ms = ends - self.levels.length_ms
        self._bounds_ms = np.stack([self._starts_ms, ends])

    def locate(self, t_ms: Floats) -> Place:
        """The places of instants counted from the schedule's origin, none before its first block."""
        start, period, first = self._blocks_ms.take(self.block_start_ms.searchsorted(t_ms, "right"), axis=1)
        position = t_ms - start
        repeats = np.floor(position / period)
        repeated_ms = repeats * period
        position -= repeated_ms
        position += first
        segment = self._starts_ms.searchsorted(position, "right")
        segment -= 1
        into, end = self._bounds_ms.take(segment, axis=1)
        np.subtract(position, into, out=into)
        into /= 1000.0
        end -= position
        end /= 1000.0
        return Place(segment, repeats, repeated_ms, into, end, bool(np.count_nonzero(repeats)))
