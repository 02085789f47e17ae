"""The keyed noise of `emulator.noise`, many signals and ticks at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emulator import noise

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bits: TypeAlias = NDArray[np.uint64]
Flags: TypeAlias = NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mix(seed: Bits, ticks: Ints) -> Bits:
    """`emulator.noise.mix(seed, tick)` for every tick; wraps around as that does."""
    mixed: Bits = ticks.view(np.uint64) * _GOLDEN
    mixed = mixed ^ seed
    mixed += _GOLDEN
    mixed ^= mixed >> np.uint64(30)
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed


def uniform(seed: Bits, ticks: Ints) -> Floats:
    """`emulator.noise.uniform(seed, tick)` for every tick: in [0, 1)."""
    mixed = mix(seed, ticks)
    mixed >>= np.uint64(11)
    drawn: Floats = mixed.astype(np.float64)
    drawn *= 2.0**-53
    return drawn


def seeds(seed: int, signals: Sequence[int], count: int) -> Bits:
    """A column of seeds, for each signal those of `count` GPUs."""
    rows = [noise.mix(seed, signal, gpu) for signal in signals for gpu in range(count)]
    return np.array(rows, dtype=np.uint64)[:, None]


def draws(seed: Bits, tick: Ints, offsets: Ints) -> Floats:
    """[seed, offset, instant]: the draws of ticks in order, and of those that many ticks later."""
    first = tick[0]
    width = int(tick[-1] - first) + len(offsets)
    if width > len(tick) * len(offsets):
        return uniform(seed[:, :, None], tick + offsets[:, None])
    # More draws than ticks: draw once for each tick between the first and the last.
    once = uniform(seed, np.arange(first + offsets[0], first + offsets[0] + width))
    each: Floats = once.take((tick - first) + (offsets - offsets[0])[:, None], axis=1)
    return each


def smooth(seed: Bits, t_ms: Floats, tick_ms: int) -> Floats:
    """[seed, instant], in [-1, 1): one draw per tick, linear between ticks."""
    tick, share = _ticks(t_ms, tick_ms)
    between: Floats
    if share is None:
        between = uniform(seed, tick)
    else:
        drawn = draws(seed, tick, _TWO)
        low = drawn[:, 0]
        between = drawn[:, 1] - low
        between *= share
        between += low
    between *= 2.0
    between -= 1.0
    return between


def spline(seed: Bits, t_ms: Floats, tick_ms: int, ticks_before: int = 0) -> Floats:
    """A curve in (-1, 1), as [seed, time, instant].

    The last of the times is `t_ms`, the others lie `ticks_before` ticks before it, each one tick after the
    other: they share most of their draws.

    It is a quadratic B-spline through one draw per tick. Its slope is continuous, which makes the curve fit
    for an energy, and the slope for the power that belongs to it.
    """
    tick, share = _ticks(t_ms, tick_ms)
    # Halfway between its first two draws at the start of a tick, halfway between the last two at its end.
    drawn = draws(seed, tick, np.arange(-ticks_before, 2 if share is None else 3))
    halfway = drawn if share is None else drawn[:, :-1]
    curve: Floats = halfway[:, :-1] + halfway[:, 1:]
    curve -= 1.0
    if share is not None:
        first, bend = _bends(drawn, share)
        curve += share * (2.0 * first + bend)
    return curve


def spline_slope(seed: Bits, t_ms: Floats, tick_ms: int) -> Floats:
    """Half the slope of `spline` per tick, in (-1, 1), as [seed, instant]."""
    tick, share = _ticks(t_ms, tick_ms)
    first, bend = _bends(draws(seed, tick, _THREE), 0.0 if share is None else share)
    slope: Floats = first[:, 0] + bend[:, 0]
    return slope


def _bends(drawn: Floats, share: Floats | float) -> tuple[Floats, Floats]:
    steps = drawn[:, 1:] - drawn[:, :-1]
    first = steps[:, :-1]
    bend = steps[:, 1:] - first
    bend *= share
    return first, bend


def _ticks(t_ms: Floats, tick_ms: int) -> tuple[Ints, Floats | None]:
    """The tick of each instant, and how far into it that is; None where all lie on a tick, as most windows do."""
    tick = np.floor(t_ms / tick_ms)
    share = t_ms - tick * tick_ms
    return tick.astype(np.int64), share / tick_ms if np.count_nonzero(share) else None


_TWO, _THREE = np.arange(2, dtype=np.int64), np.arange(3, dtype=np.int64)
