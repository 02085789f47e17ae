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
    tick = np.floor(t_ms / tick_ms)
    share = (t_ms - tick * tick_ms) / tick_ms
    drawn = draws(seed, tick.astype(np.int64), _TWO)
    low = drawn[:, 0]
    between: Floats = drawn[:, 1] - low
    between *= share
    between += low
    between *= 2.0
    between -= 1.0
    return between


def spline(seed: Bits, t_ms: Floats, tick_ms: int, ticks_before: int = 0) -> tuple[Floats, Floats]:
    """A curve in (-1, 1) and half its slope per tick, in (-1, 1), as [seed, time, instant].

    The last of the times is `t_ms`, the others lie `ticks_before` ticks before it, each one tick after the
    other: they share most of their draws.

    It is a quadratic B-spline through one draw per tick. Its slope is continuous, which makes the curve fit
    for an energy, and the slope for the power that belongs to it.
    """
    tick = np.floor(t_ms / tick_ms)
    share = (t_ms - tick * tick_ms) / tick_ms
    drawn = draws(seed, tick.astype(np.int64), np.arange(-ticks_before, 3))
    steps = drawn[:, 1:] - drawn[:, :-1]
    first = steps[:, :-1]
    bend = steps[:, 1:] - first
    bend *= share
    # Halfway between its first two draws at the start of a tick, halfway between the last two at its end.
    curve: Floats = drawn[:, :-2] + drawn[:, 1:-1]
    curve -= 1.0
    curve += share * (2.0 * first + bend)
    return curve, first + bend


_TWO: Ints = np.arange(2, dtype=np.int64)
