"""The parts of a scenario that a run can take, and the sets of keys that its file gives for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from emulator.scenario.file.draft import Keys, Override
from emulator.scenario.file.records import Located
from emulator.scenario.file.selection import SelectionDraft
from emulator.scenario.model import Scenario


def key_sets(keys: Keys) -> Iterator[Keys]:
    """What a file gives at its top, and in each entry of `variants` and `sequence`, and each profile of `selection`."""
    yield keys
    if "selection" in keys:
        for profile in (cast(SelectionDraft, keys["selection"].value).profiles or {}).values():
            yield profile.value.keys
    for name in ("variants", "sequence"):
        if name in keys:
            for located in cast("tuple[Located[Override], ...]", keys[name].value):
                yield from key_sets(located.value.keys)


def faces_of(scenario: Scenario) -> Iterator[Scenario]:
    """What a run can take: the scenario itself and what it says for single profiles, or each of its alternatives."""
    alternatives = (*scenario.sequence, *(variant.scenario for variant in scenario.variants))
    if not alternatives:
        yield scenario
        profiles = None if scenario.selection is None else scenario.selection.profiles
        yield from (plan.scenario for plan in (profiles or {}).values() if plan.scenario is not None)
    for alternative in alternatives:
        yield from faces_of(alternative)
