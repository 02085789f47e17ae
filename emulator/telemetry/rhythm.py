"""The time structure of a shape: one cycle of segments, drawn once from the seed and repeated."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from emulator.telemetry import noise
from emulator.telemetry.noise import Floats, Ints
from emulator.telemetry.shapes import Shape


class Segments(NamedTuple):
    """Stretches in which nothing changes: a factor on the shape's activity, and what replaces its targets.

    One entry per segment; NaN replaces nothing.
    """

    length_ms: Ints
    activity: Floats
    gpu_utilization_percent: Floats
    pcie_rx_bytes_per_s: Floats
    pcie_tx_bytes_per_s: Floats

    def picked(self, indices: Ints, length_ms: Ints) -> Segments:
        """Those at `indices`, with lengths of their own."""
        return Segments(length_ms, *(values[indices] for values in self[1:]))


# An exact repeat is what gives energy and temperature closed forms at any age. It is long enough (minutes of
# steps, most of an hour of checkpoints) for nobody to notice, and every seed draws its own.
_REPEATS_OF_PLAIN_BEATS = 20
_REPEATS_OF_NESTED_BEATS = 8
_SAWTOOTH_MS = 500
_FLATTEST_MS = 3_600_000

_NO_BEAT = -1
_DRAWS_OF_STEP = 5
_DRAWN_AT_ONCE = 1024


def flat(length_ms: Ints) -> Segments:
    """Segments that leave the shape as it is."""
    nothing = np.full(len(length_ms), np.nan)
    return Segments(length_ms, np.ones(len(length_ms)), nothing, nothing, nothing)


def cycle(shape: Shape, seed: int) -> Segments:
    """One cycle of `shape`; a shape without beats is one long segment."""
    if not shape.beats:
        return flat(np.array([_FLATTEST_MS], dtype=np.int64))
    drawing = _Drawing(shape, seed)
    if len(shape.beats) > 1:
        for _ in range(_REPEATS_OF_NESTED_BEATS):
            drawing.period(0, None)
    else:
        drawing.periods(_REPEATS_OF_PLAIN_BEATS)
    return drawing.segments()


class _Drawing:
    """A cycle on its way. Steps, of which there are hundreds, are worked out as arrays, slower beats one by one."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape, self._beats = shape, shape.beats
        self._key = noise.seeds(seed, (0,), 1)[0]
        self._drawn = np.empty(0)
        self._next = 0
        self._parts: list[Floats] = []
        """Columns of length, activity, utilisation or NaN, the beat whose pause it is, and how far up in its spans."""

    def periods(self, count: int) -> None:
        """So many of the only beat."""
        if self._beats[0].sawtooth:
            for _ in range(count):
                self.period(0, None)
            return
        draws = self._ahead(count * _DRAWS_OF_STEP).reshape(count, _DRAWS_OF_STEP).T
        self._next += count * _DRAWS_OF_STEP
        self._add_steps(self._periods_ms(draws[0]), *draws[1:])

    def period(self, number: int, room_ms: int | None) -> int | None:
        """One period of a beat, the pause at its end. Answers its length, or None if there is no room for it."""
        beat = self._beats[number]
        period, lasts, depth, share = self._draws(4)
        period_ms = int(beat.every_ms * (1.0 + beat.jitter * (2.0 * period - 1.0)))
        if room_ms is not None and period_ms > room_ms:
            return None
        lasts_ms = int(beat.lasts_ms[0] + (beat.lasts_ms[1] - beat.lasts_ms[0]) * lasts)
        deep, usual = beat.activity
        self._busy(number, period_ms - lasts_ms)
        self._add([lasts_ms, usual + (deep - usual) * depth**4, np.nan, number, share])
        return period_ms

    def _busy(self, number: int, length_ms: int) -> None:
        """The time before a pause: whole periods of the next faster beat, and what is left."""
        last = len(self._beats) - 1
        for faster in range(number + 1, len(self._beats)):
            if faster == last and not self._beats[last].sawtooth:
                length_ms -= self._steps(length_ms)
            else:
                while (period_ms := self.period(faster, length_ms)) is not None:
                    length_ms -= period_ms
        # No two steps take the same power.
        level = 1.0 + 0.03 * (self._draws(1)[0] - 0.5)
        if self._beats[last].sawtooth:
            self._decline(length_ms, level)
        else:
            self._add([length_ms, level, np.nan, _NO_BEAT, 0.0])

    def _steps(self, room_ms: int) -> int:
        """As many periods of the fastest beat as there is room for, in milliseconds: what `period` would do, at once.

        It draws what tells that there is no room for another, too.
        """
        beat = self._beats[-1]
        most = room_ms // max(1, int(beat.every_ms * (1.0 - beat.jitter)) - 1) + 2
        draws = self._ahead(most * _DRAWS_OF_STEP).reshape(most, _DRAWS_OF_STEP).T
        period_ms = self._periods_ms(draws[0])
        ends_ms = np.cumsum(period_ms)
        count = int(ends_ms.searchsorted(room_ms, "right"))
        self._next += count * _DRAWS_OF_STEP + 4
        if not count:
            return 0
        self._add_steps(period_ms[:count], *draws[1:, :count])
        return int(ends_ms[count - 1])

    def _periods_ms(self, draws: Floats) -> Floats:
        beat = self._beats[-1]
        return np.trunc(beat.every_ms * (1.0 + beat.jitter * (2.0 * draws - 1.0)))

    def _add_steps(self, period_ms: Floats, lasts: Floats, depth: Floats, share: Floats, level: Floats) -> None:
        """Periods of the fastest beat, of which all but the first argument are draws."""
        number = len(self._beats) - 1
        beat = self._beats[number]
        steps = np.empty((5, len(period_ms), 2))
        length_ms, activity, utilization, of_beat, shares = steps
        length_ms[:, 1] = np.trunc(beat.lasts_ms[0] + (beat.lasts_ms[1] - beat.lasts_ms[0]) * lasts)
        length_ms[:, 0] = period_ms - length_ms[:, 1]
        deep, usual = beat.activity
        activity[:, 0] = 1.0 + 0.03 * (level - 0.5)
        # numpy's power need not be Python's in the last bit.
        activity[:, 1] = usual + (deep - usual) * np.array([each**4 for each in depth.tolist()])
        utilization.fill(np.nan)
        of_beat[:] = _NO_BEAT, number
        shares[:, 0], shares[:, 1] = 0.0, share
        self._parts.append(steps.reshape(5, -1))

    def _decline(self, length_ms: int, level: float) -> None:
        """Steps down to a quarter, as a loader's queue drains; utilisation, the shape's at first, falls too."""
        teeth = max(1, length_ms // _SAWTOOTH_MS)
        edges = [length_ms * tooth // teeth for tooth in range(teeth + 1)]
        shares = [1.0 - 0.75 * (tooth / teeth) ** 2 for tooth in range(teeth)]
        full = self._shape.gpu_utilization_percent
        self._add(
            *(
                [end - start, level * share, full * share, _NO_BEAT, 0.0]
                for share, (start, end) in zip(shares, pairwise(edges), strict=True)
            )
        )

    def _add(self, *segments: list[float]) -> None:
        self._parts.append(np.array(segments).T)

    def segments(self) -> Segments:
        """All that were drawn."""
        length_ms, activity, utilization, of_beat, share = np.concatenate(self._parts, axis=1)
        rx, tx = np.full((2, len(share)), np.nan)
        for number, beat in enumerate(self._beats):
            pauses = of_beat == number
            for span, values in (
                (beat.gpu_utilization_percent, utilization),
                (beat.pcie_rx_bytes_per_s, rx),
                (beat.pcie_tx_bytes_per_s, tx),
            ):
                if span is not None:
                    low, high = span
                    values[pauses] = low + (high - low) * share[pauses]
        return Segments(length_ms.astype(np.int64), activity, utilization, rx, tx)

    def _draws(self, count: int) -> list[float]:
        draws: list[float] = self._ahead(count).tolist()
        self._next += count
        return draws

    def _ahead(self, count: int) -> Floats:
        """The next uniform draws in [0, 1), which stay the next ones."""
        while len(self._drawn) < self._next + count:
            ticks = np.arange(len(self._drawn), len(self._drawn) + _DRAWN_AT_ONCE, dtype=np.int64)
            self._drawn = np.concatenate([self._drawn, noise.uniform(self._key, ticks)])
        return self._drawn[self._next : self._next + count]
