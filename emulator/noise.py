"""Numbers fixed by their key alone: the same key gives the same number in every process and any order.

Integer mixing (the finaliser of SplitMix64), neither a generator, whose numbers would depend on what was drawn
before, nor a cryptographic hash, which numpy could not vectorise.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mix(seed: int, *key: int) -> int:
    """64 well-mixed bits of `seed` and `key`."""
    state = seed & _MASK
    for part in key:
        state = ((state ^ ((part * _GOLDEN) & _MASK)) + _GOLDEN) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def uniform(seed: int, *key: int) -> float:
    """A float in [0, 1)."""
    return (mix(seed, *key) >> 11) * 2.0**-53


def between(low: int, high: int, seed: int, *key: int) -> int:
    """An integer from `low` to `high`, both included."""
    return low + int(uniform(seed, *key) * (high - low + 1))
