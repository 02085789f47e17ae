"""Which scenario each `extends` means, among all that there are, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from msgspec import Struct, structs

from emulator.errors import ScenarioError
from emulator.scenario.composition import compose, misfits
from emulator.scenario.file.draft import Draft
from emulator.scenario.file.grammar import in_order
from emulator.scenario.file.keys import EXTENDS
from emulator.scenario.model import Scenario


class Candidate(Struct, frozen=True):
    """One scenario to be composed. `draft` is None where the text cannot be read; `last` was valid before.

    `mistaken` is a newer text that has problems: in its place `draft` serves, if there is one.
    """

    name: str
    draft: Draft | None
    last: Scenario | None = None
    mistaken: Draft | None = None


class Outcome(NamedTuple):
    """What a candidate came to: itself, or its last valid version if it has one, and then what is wrong with it."""

    scenario: Scenario | None
    error: ScenarioError | None = None


def candidate(scenario: Scenario) -> Candidate:
    """A scenario in force, to be composed anew with what it extends."""
    return Candidate(scenario.name, scenario.drafts[-1] if scenario.drafts else None, scenario)


def candidate_of(name: str, draft: Draft | None, last: Scenario | None = None) -> Candidate:
    """The scenario of a text, which gives `draft` (None: nothing could be read of it), where `last` was in force."""
    if draft is not None and not draft.problems:
        return Candidate(name, draft, last)
    before = Candidate(name, None) if last is None else candidate(last)
    return structs.replace(before, mistaken=draft)


class Lineage:
    """Candidates in the order in which names are looked up. Each is composed when it is first asked for."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self._places: dict[str, list[int]] = {}
        for place, each in enumerate(candidates):
            self._places.setdefault(each.name, []).append(place)
        self._outcomes: dict[int, Outcome] = {}

    def outcomes(self) -> list[Outcome]:
        return [self.outcome(place) for place in range(len(self._candidates))]

    def outcome(self, place: int) -> Outcome:
        """What the candidate at `place` came to."""
        settled, mistaken = self._settled(place), self._candidates[place].mistaken
        if mistaken is None:
            return settled
        return Outcome(settled.scenario, _error(mistaken, *self._bases(place, mistaken)))

    def _settled(self, place: int) -> Outcome:
        """The same, but for a newer text that has problems."""
        way = [place]  # from the candidate to its last base, then back
        while (base := self._base(way[-1])) is not None and base not in way and way[-1] not in self._outcomes:
            way.append(base)
        for each in reversed(way):
            if each not in self._outcomes:
                self._outcomes[each] = self._composed(each)
        return self._outcomes[place]

    def _composed(self, place: int) -> Outcome:
        draft, last = self._candidates[place].draft, self._candidates[place].last
        if draft is None:
            return Outcome(last)
        bases, reason = self._bases(place, draft)
        if bases is None:
            return Outcome(last, _error(draft, bases, reason))
        chain = (*bases, draft)
        if last is not None and last.drafts == chain:
            return Outcome(last)
        try:
            scenario = compose(chain)
        except ScenarioError as error:
            return Outcome(last, error)
        return Outcome(last if last is not None and last.digest == scenario.digest else scenario)

    def _bases(self, place: int, draft: Draft) -> tuple[tuple[Draft, ...] | None, str]:
        """The drafts that `draft` extends, from the first on; None where one does not serve, and why."""
        if draft.extends is None:
            return (), ""
        circle = self._circle(place, draft)
        if circle:
            return None, f"this goes round in a circle: {' → '.join(circle)}"
        base = self._base(place, draft)
        if base is None:
            what = (
                f"no other scenario `{draft.name}`" if draft.extends == draft.name else f"no scenario `{draft.extends}`"
            )
            return None, f"there is {what}: {name_hint(draft.extends, self._names(draft.name))}"
        scenario = self._settled(base).scenario
        if scenario is None or not scenario.drafts:
            return None, f"`{draft.extends}` has mistakes of its own: mend those first"
        return scenario.drafts, ""

    def _base(self, place: int, draft: Draft | None = None) -> int | None:
        """The place of what the candidate at `place` extends. Its own name means the next of that name."""
        if draft is None:
            draft = self._candidates[place].draft or self._candidates[place].mistaken
        if draft is None or draft.extends is None:
            return None
        places = self._places.get(draft.extends, [])
        if draft.extends == draft.name:
            places = [each for each in places if each > place]
        return places[0] if places else None

    def _circle(self, place: int, draft: Draft) -> list[str]:
        """The names on the way from `draft` back to its own place; empty if there is no such way."""
        names, seen, at = [self._candidates[place].name], {place}, self._base(place, draft)
        while at is not None:
            names.append(self._candidates[at].name)
            if at == place:
                return names
            if at in seen:
                return []
            seen.add(at)
            at = self._base(at)
        return []

    def _names(self, own: str) -> list[str]:
        return [name for name in self._places if name != own]


def _error(draft: Draft, bases: tuple[Draft, ...] | None, reason: str) -> ScenarioError:
    """All that is wrong with `draft`: its own problems, why its bases do not serve, and what is between them."""
    of_base = (draft.keys[EXTENDS.name].problem(reason),) if bases is None else ()
    return ScenarioError(draft.source, in_order((*draft.problems, *of_base, *misfits(bases, draft))))


def name_hint(name: str, names: Iterable[str]) -> str:
    """What to say after a name that is none of `names`."""
    names = list(names)
    meant = name[:100].lower().removesuffix(".yaml").removesuffix(".yml")
    near = get_close_matches(meant, names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(f'`{each}`' for each in near)}?"
    return f"there are {', '.join(sorted(names)[:30]) or 'none'}"
