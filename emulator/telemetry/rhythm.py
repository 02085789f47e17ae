"""The time structure of a shape: one cycle of segments, drawn once from the seed and repeated."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from emulator.telemetry import noise
from emulator.telemetry.shapes import Beat, Shape, Span


class Segment(NamedTuple):
    """A stretch in which nothing changes: a factor on the shape's activity, and what replaces its targets."""

    length_ms: int
    activity: float = 1.0
    gpu_utilization_percent: float | None = None
    pcie_rx_bytes_per_s: float | None = None
    pcie_tx_bytes_per_s: float | None = None


# An exact repeat is what gives energy and temperature closed forms at any age. It is long enough (minutes of
# steps, most of an hour of checkpoints) for nobody to notice, and every seed draws its own.
_REPEATS_OF_PLAIN_BEATS = 20
_REPEATS_OF_NESTED_BEATS = 8
_SAWTOOTH_MS = 500
_FLATTEST_MS = 3_600_000


def cycle(shape: Shape, seed: int) -> list[Segment]:
    """One cycle of `shape`; a shape without beats is one long segment."""
    if not shape.beats:
        return [Segment(_FLATTEST_MS)]
    draws = _draws(seed)
    outer, *inner = shape.beats
    repeats = _REPEATS_OF_NESTED_BEATS if inner else _REPEATS_OF_PLAIN_BEATS
    segments: list[Segment] = []
    for _ in range(repeats):
        period_ms, pause = _beat(outer, draws)
        segments += _busy(outer, period_ms - pause.length_ms, inner, draws, shape.gpu_utilization_percent)
        segments.append(pause)
    return segments


def _busy(outer: Beat, length_ms: int, inner: list[Beat], draws: Iterator[float], full: float) -> list[Segment]:
    """The time before a pause of `outer`: whole periods of the next faster beat, and what is left."""
    if not inner:
        # No two steps take the same power.
        level = 1.0 + 0.03 * (next(draws) - 0.5)
        return _declining(length_ms, level, full) if outer.sawtooth else [Segment(length_ms, level)]
    beat, *faster = inner
    segments: list[Segment] = []
    while True:
        period_ms, pause = _beat(beat, draws)
        if period_ms > length_ms:
            return segments + _busy(beat, length_ms, faster, draws, full)
        segments += _busy(beat, period_ms - pause.length_ms, faster, draws, full)
        segments.append(pause)
        length_ms -= period_ms


def _declining(length_ms: int, level: float, full: float) -> list[Segment]:
    """Steps down to a quarter, as a loader's queue drains; utilisation, `full` at first, falls too."""
    teeth = max(1, length_ms // _SAWTOOTH_MS)
    edges = [length_ms * tooth // teeth for tooth in range(teeth + 1)]
    shares = [1.0 - 0.75 * (tooth / teeth) ** 2 for tooth in range(teeth)]
    return [
        Segment(end - start, level * share, full * share)
        for share, (start, end) in zip(shares, pairwise(edges), strict=True)
    ]


def _beat(beat: Beat, draws: Iterator[float]) -> tuple[int, Segment]:
    """One period of `beat` in milliseconds, and the pause at its end."""
    period_ms = int(beat.every_ms * (1.0 + beat.jitter * (2.0 * next(draws) - 1.0)))
    lasts_ms = int(_within(beat.lasts_ms, next(draws)))
    deep, usual = beat.activity
    activity = usual + (deep - usual) * next(draws) ** 4
    share = next(draws)
    pause = Segment(
        lasts_ms,
        activity,
        _within_or_none(beat.gpu_utilization_percent, share),
        _within_or_none(beat.pcie_rx_bytes_per_s, share),
        _within_or_none(beat.pcie_tx_bytes_per_s, share),
    )
    return period_ms, pause


def _within(span: Span, share: float) -> float:
    return span[0] + (span[1] - span[0]) * share


def _within_or_none(span: Span | None, share: float) -> float | None:
    return None if span is None else _within(span, share)


def _draws(seed: int) -> Iterator[float]:
    """Uniform draws in [0, 1), as many as are asked for."""
    key = noise.seeds(seed, (0,), 1)[0]
    first = 0
    while True:
        yield from noise.uniform(key, np.arange(first, first + 1024, dtype=np.int64)).tolist()
        first += 1024
