"""The keyed noise of `emulator.noise`, many signals and ticks at a time, and the curves that lie through its draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emulator import noise

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bits: TypeAlias = NDArray[np.uint64]
Flags: TypeAlias = NDArray[np.bool_]


def number(value: float) -> Floats:
    """A constant for arithmetic with arrays: from an array without dimensions numpy takes it in half the time."""
    return np.array(value, dtype=np.float64)


def _bits(value: int) -> Bits:
    return np.array(value, dtype=np.uint64)


_GOLDEN = _bits(0x9E3779B97F4A7C15)
_ROUNDS = ((_bits(30), _bits(0xBF58476D1CE4E5B9)), (_bits(27), _bits(0x94D049BB133111EB)))
_LAST_SHIFT, _UNIFORM_SHIFT = _bits(31), _bits(11)
_UNIFORM_UNIT = number(2.0**-53)
_ONE, _TWO = number(1.0), number(2.0)


def mix(seed: Bits, ticks: Ints) -> Bits:
    """`emulator.noise.mix(seed, tick)` for every tick; wraps around as that does."""
    return _mixed(_keys(seed, ticks))


def uniform(seed: Bits, ticks: Ints) -> Floats:
    """`emulator.noise.uniform(seed, tick)` for every tick: in [0, 1)."""
    return _uniform(_keys(seed, ticks))


def seeds(seed: int, signals: Sequence[int], count: int) -> Bits:
    """A column of seeds, for each signal those of `count` GPUs."""
    rows = [noise.mix(seed, signal, gpu) for signal in signals for gpu in range(count)]
    return np.array(rows, dtype=np.uint64)[:, None]


class Curves(NamedTuple):
    """Draws as [seed, tick, instant], each instant's ticks in order, and how far into its own tick an instant is.

    That share is None where all instants lie on a tick, as in most windows: then each takes one draw less.
    """

    drawn: Floats
    share: Floats | None

    def linear(self) -> Floats:
        """[seed, instant], in [-1, 1): one draw per tick, linear between ticks. Of draws without any `before`."""
        low = self.drawn[:, 0]
        if self.share is None:
            between = low + low
        else:
            between = self.drawn[:, 1] - low
            between *= self.share
            between += low
            between *= _TWO
        between -= _ONE
        return between

    def spline(self) -> Floats:
        """A curve in (-1, 1), as [seed, time, instant]. The times are an instant and as many ticks `before` it.

        It is a quadratic B-spline through one draw per tick. Its slope is continuous, which makes the curve fit
        for an energy, and the slope for the power that belongs to it.
        """
        # Halfway between its first two draws at the start of a tick, halfway between the last two at its end.
        halfway = self.drawn if self.share is None else self.drawn[:, :-1]
        curve = halfway[:, :-1] + halfway[:, 1:]
        curve -= _ONE
        if self.share is not None:
            first, bend = self._bends(self.share)
            bend += _TWO * first
            bend *= self.share
            curve += bend
        return curve

    def spline_slope(self) -> Floats:
        """Half the slope of `spline` per tick, in (-1, 1), as [seed, time, instant]."""
        if self.share is None:
            return self.drawn[:, 1:] - self.drawn[:, :-1]
        first, bend = self._bends(self.share)
        bend += first
        return bend

    def _bends(self, share: Floats) -> tuple[Floats, Floats]:
        steps = self.drawn[:, 1:] - self.drawn[:, :-1]
        first = steps[:, :-1]
        bend = steps[:, 1:] - first
        bend *= share
        return first, bend


class Ticks:
    """Which ticks of a noise are drawn for instants in order of time."""

    def __init__(self, t_ms: Floats, tick_ms: Floats, *, before: int = 0, after: int = 1) -> None:
        """`tick_ms` is a `number`, and whole. An instant takes the draws of its own tick, of so many `before` it and
        so many `after`: 1 for a line, 2 for a spline."""
        tick = np.floor(t_ms / tick_ms)
        share = t_ms - tick * tick_ms
        self.share: Floats | None = None
        if np.count_nonzero(share):
            share /= tick_ms
            self.share = share
        else:
            after -= 1
        of_instant = tick.astype(np.int64) + np.arange(-before, after + 1)[:, None]
        first, last = int(of_instant[0, 0]), int(of_instant[-1, -1])
        if last - first < of_instant.size:  # more draws than ticks: one for each tick from the first to the last
            self.drawn = np.arange(first, last + 1)
            self._places: Ints | None = of_instant - first
        else:
            self.drawn = of_instant
            self._places = None

    def curves(self, drawn: Floats) -> Curves:
        """`drawn` is a row of draws for each seed, one for each of the ticks."""
        if self._places is not None:
            return Curves(drawn.take(self._places, axis=1), self.share)
        return Curves(drawn.reshape(-1, *self.drawn.shape), self.share)


def curves(*noises: tuple[Bits, Ticks]) -> list[Curves]:
    """The curves of each column of seeds. All draws are made in one go: for few, it is the calls that take the time."""
    keys = [_keys(seed, ticks.drawn.ravel()) for seed, ticks in noises]
    drawn = _uniform(np.concatenate([key.ravel() for key in keys]))
    each, first = [], 0
    for key, (_, ticks) in zip(keys, noises, strict=True):
        each.append(ticks.curves(drawn[first : first + key.size].reshape(key.shape)))
        first += key.size
    return each


def _keys(seed: Bits, ticks: Ints) -> Bits:
    keys: Bits = (ticks.view(np.uint64) * _GOLDEN) ^ seed
    return keys


def _mixed(keys: Bits) -> Bits:
    """In place."""
    shifted = np.empty_like(keys)
    keys += _GOLDEN
    for shift, factor in _ROUNDS:
        np.right_shift(keys, shift, out=shifted)
        keys ^= shifted
        keys *= factor
    np.right_shift(keys, _LAST_SHIFT, out=shifted)
    keys ^= shifted
    return keys


def _uniform(keys: Bits) -> Floats:
    mixed = _mixed(keys)
    mixed >>= _UNIFORM_SHIFT
    drawn: Floats = mixed.astype(np.float64)
    drawn *= _UNIFORM_UNIT
    return drawn
