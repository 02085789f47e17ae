"""How much work a measurement is worth: enough for a table, or a quick look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """`rounds` slices of `seconds` for each contender; so many runs in the large store; so many followers."""

    rounds: int = 3
    seconds: int = 2
    stored: int = 100_000
    followers: int = 1_000
    repeats: int = 20


FULL = Effort()
QUICK = Effort(rounds=1, seconds=1, stored=5_000, followers=200, repeats=5)
