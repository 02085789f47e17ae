"""What one file says in several places, laid over each other: which keys are in force where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, TypeVar, cast

from msgspec import Struct

from emulator.scenario.file import keys as k
from emulator.scenario.file.draft import Draft, Given, Override
from emulator.scenario.file.records import Key
from emulator.scenario.file.selection import ProfileDraft, SelectionDraft

T = TypeVar("T")
D = TypeVar("D")

# The layers of one file, in the order in which they are written over each other: an entry of `sequence` is written
# over the file and its `variants`, and may bring variants of its own.
# A profile of a selection is written over all of them.
FILE, FILES_VARIANT, ENTRY, ENTRYS_VARIANT, PROFILE = range(5)


class Held(Struct, frozen=True):
    """A key in force, and which layer of which file of the chain gives it."""

    given: Given
    depth: int
    layer: int

    @property
    def rank(self) -> tuple[int, int]:
        return self.depth, self.layer


InForce: TypeAlias = Mapping[str, Held | None]
"""By name; None for a key that is given, or may be, with a value that nobody knows."""


def sets_in_force(keys: InForce) -> Iterator[InForce]:
    """What is in force outside of entries, in each entry of `sequence` and `variants`, and in each profile of those."""
    yield from with_profiles(keys)
    entries = keys.get(k.SEQUENCE.name)
    outside = [keys]
    if entries is not None:
        outside = [laid_over(keys, each.value, entries.depth, ENTRY) for each in value_in(keys, k.SEQUENCE, ())]
        for each in outside:
            yield from with_profiles(each)
    for each in outside:
        held = each.get(k.VARIANTS.name)
        if held is not None:
            for located in value_in(each, k.VARIANTS, ()):
                yield from with_profiles(laid_over(each, located.value, held.depth, variants_layer(held)))


def with_profiles(keys: InForce) -> Iterator[InForce]:
    """`keys`, and what is in force of them in each profile of their selection."""
    yield keys
    held = keys.get(k.SELECTION.name)
    if held is None:
        return
    without = {name: each for name, each in keys.items() if name != k.SELECTION.name}
    for located in (cast(SelectionDraft, held.given.value).profiles or {}).values():
        if located.value is not None:
            yield laid_over(without, located.value, held.depth, PROFILE)


def variants_layer(variants: Held) -> int:
    """The layer of the entries of `variants`."""
    return FILES_VARIANT if variants.layer == FILE else ENTRYS_VARIANT


def laid_over(keys: InForce, giver: Draft | Override | ProfileDraft, depth: int, layer: int) -> InForce:
    """`keys` with those that `giver` gives in place of those of the same name."""
    unread = dict.fromkeys(giver.unread) if giver.unread else {}
    return {**keys, **unread, **{name: Held(each, depth, layer) for name, each in giver.keys.items()}}


def held_in(keys: InForce, key: Key[Any]) -> Held:
    """Who gives `key`, which is given."""
    return cast(Held, keys[key.name])


def value_in(keys: InForce, key: Key[T], default: D) -> T | D:
    """What `key` is given; `default` if nobody gives it."""
    held = keys.get(key.name)
    return default if held is None else cast(T, held.given.value)
