"""Where an instant lies in a schedule: the segment, the number of repeats before it, the time to its edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.telemetry.noise import Floats, Ints, number
from emulator.telemetry.schedule import Block

_MS_PER_S = number(1000.0)
_FORGOTTEN_MS = 4_000_000
"""After so long nothing is left of how a block began: e**-t/tau with tau up to 100 s no longer changes a 1.0."""


class Place(NamedTuple):
    """One entry per instant; `into_s` and `left_s` are seconds from the segment's start and to its end.

    What meets rows of GPUs is a row itself, [1, instant]: between arrays of equal dimensions numpy is faster.
    `cycle` is the entry of `Axis.cycles_ms`, None where no instant lies in a repeat.
    """

    segment: Ints
    repeats: Floats
    cycle: Ints | None
    into_s: Floats
    left_s: Floats


class Axis:
    """All blocks' segments laid end to end, each block once.

    Times are floats that hold whole milliseconds: exact up to 2**53, and faster to divide than integers.
    """

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        length_ms = np.concatenate([block.levels.length_ms for block in blocks])
        self.block = np.repeat(np.arange(len(blocks)), [len(b.levels.length_ms) for b in blocks])
        """Of each segment."""
        self.block_start_ms = np.array([block.start_ms for block in blocks], dtype=np.float64)
        periods_ms = np.array([block.levels.length_ms.sum() for block in blocks], dtype=np.float64)
        lasts_ms = np.diff(self.block_start_ms, append=np.inf)
        most = np.ceil(np.minimum(lasts_ms, _FORGOTTEN_MS) / periods_ms)
        cycles = [np.arange(each + 1) for each in most]
        self.cycles_ms = np.concatenate([n * period for n, period in zip(cycles, periods_ms, strict=True)])
        """How long the repeats took that came before, for every number of them in every block that makes a
        difference."""
        first_cycle = np.cumsum(most + 1) - (most + 1)
        self._blocks = np.stack(
            [self.block_start_ms, periods_ms, np.cumsum(periods_ms) - periods_ms, first_cycle, most]
        )
        ends_ms = np.cumsum(length_ms).astype(np.float64)
        self._bounds_ms = np.stack([ends_ms - length_ms, ends_ms])
        # How many of these an instant has passed is the number of its block, or segment.
        self._next_blocks_ms = self.block_start_ms[1:]
        self._next_segments_ms = ends_ms[:-1]
        own = (self.block, self.cycles_ms, self._blocks, self._bounds_ms, ends_ms)
        self.nbytes = sum(array.nbytes for array in own)

    def locate(self, t_ms: Floats) -> Place:
        """The places of instants counted from the schedule's origin, none before its first block."""
        block = self._next_blocks_ms.searchsorted(t_ms, "right")
        start, period, first, first_cycle, most = self._blocks.take(block, axis=1)
        position = t_ms - start
        repeats = np.floor(position / period)
        position -= repeats * period
        position += first
        segment = self._next_segments_ms.searchsorted(position, "right")
        into, end = self._bounds_ms.take(segment, axis=1)
        np.subtract(position, into, out=into)
        into /= _MS_PER_S
        end -= position
        end /= _MS_PER_S
        cycle = None
        if np.count_nonzero(repeats):
            np.minimum(repeats, most, out=most)
            most += first_cycle
            cycle = most.astype(np.int64)
        return Place(segment, repeats[None], cycle, into[None], end[None])
