"""Which scenario a submission gets, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from emulator.errors import FieldProblem, Invalid, NotFound, TooMany
from emulator.scenario.matching import NearMiss, differences, nearest
from emulator.scenario.model import BUILT_IN, Match, Scenario
from emulator.scenario.submission import Submission
from emulator.texts import writable

if TYPE_CHECKING:
    from emulator.scenario.file.draft import Draft
    from emulator.scenario.library import Library

MAX_QUEUED = 1_000
"""So many entries a queue holds at most, whatever their `times`."""

METADATA_KEY = "emulator.scenario"
"""The metadata entry by which a submission names its scenario."""

NOTEBOOK = "notebook"
"""The scenario that is the default of notebooks."""


class Rule(StrEnum):
    """The rules in the order in which they are asked."""

    QUEUE = "queue"
    NAME = "name"
    MATCH = "match"
    DEFAULT = "default"


class Choice(Struct, frozen=True, gc=False):
    """Why a run got its scenario: the rule that chose, and a sentence for people.

    `near_misses` are what came closest of the scenarios and queue entries that did not fit, if it came to that.
    """

    rule: Rule
    detail: str
    near_misses: tuple[NearMiss, ...] = ()


class QueueEntry(Struct, frozen=True):
    """A scenario laid ready for the next `times` submissions that fit `match` (any, if None)."""

    scenario: Scenario
    times: int = 1
    match: Match | None = None


class Queue:
    """The scenarios laid ready, first come first served. An entry that does not fit stays for a later submission."""

    def __init__(self) -> None:
        self._entries: list[QueueEntry] = []

    @property
    def entries(self) -> tuple[QueueEntry, ...]:
        return tuple(self._entries)

    def add(self, entry: QueueEntry) -> None:
        """Raises TooMany at the limit."""
        if len(self._entries) >= MAX_QUEUED:
            raise TooMany(f"the queue holds {MAX_QUEUED} entries, which is the most")
        self._entries.append(entry)

    def clear(self) -> None:
        self._entries.clear()

    def take(self, submission: Submission) -> QueueEntry | None:
        """The first entry that fits, with one use of it spent."""
        for index, entry in enumerate(self._entries):
            if entry.match is None or not differences(entry.match, submission):
                if entry.times > 1:
                    self._entries[index] = replace(entry, times=entry.times - 1)
                else:
                    del self._entries[index]
                return entry
        return None


def choose(
    submission: Submission,
    named: str | None,
    queues: Sequence[Queue],
    library: Library,
    default: Callable[[], Scenario],
) -> tuple[Scenario, Choice]:
    """The scenario for `submission`: from the queues, by name, by match, or the default, which notebooks have one of
    their own for.

    `named` is the name that the request's header gives; metadata comes after it. Raises Invalid where a name
    is unknown, with the nearest ones.
    """
    scenario, choice = _choose(submission, named, queues, library, default)
    outdated = _outdated(scenario, library, choice.detail) if library.broken else ""
    return scenario, _choice(choice.rule, choice.detail + outdated, choice.near_misses) if outdated else choice


def _choose(
    submission: Submission,
    named: str | None,
    queues: Sequence[Queue],
    library: Library,
    default: Callable[[], Scenario],
) -> tuple[Scenario, Choice]:
    for queue in queues:
        if entry := queue.take(submission):
            # By its name, so that a file that was edited since takes effect.
            scenario = library.find(entry.scenario.name) or entry.scenario
            return scenario, _choice(Rule.QUEUE, f"laid ready in the queue: {scenario.name}")
    passed_over = [(entry.scenario.name, entry.match) for queue in queues for entry in queue.entries]
    if named is not None:
        place: tuple[str, ...] = ("header", "X-Emulator-Scenario")
    else:
        named, place = submission.metadata.get(METADATA_KEY), ("body", "metadata", METADATA_KEY)
    if named is not None:
        try:
            detail = f"named by {'.'.join(place)}"
            return library.get(named), _choice(Rule.NAME, detail, nearest(passed_over, submission))
        except NotFound as unknown:
            raise Invalid((FieldProblem(place, unknown.detail, "unknown_scenario"),)) from None
    if matched := library.first_match(submission):
        detail = f"its match holds for this submission: {writable(matched.source)}"
        return matched, _choice(Rule.MATCH, detail, nearest(passed_over, submission))
    wanting = ((scenario.name, scenario.match) for scenario in library.matching)
    missed = nearest([*passed_over, *wanting], submission)
    if submission.is_notebook and (notebook := library.find(NOTEBOOK)) is not None:
        detail = f"no queue entry, name or match applies; notebooks take {NOTEBOOK}"
        return notebook, _choice(Rule.DEFAULT, detail, missed)
    return default(), _choice(Rule.DEFAULT, "no queue entry, name or match applies", missed)


def _outdated(scenario: Scenario, library: Library, detail: str) -> str:
    """What to add to `detail` where a newer version of `scenario`, or of what it extends, is not in force."""
    parts: tuple[Scenario | Draft, ...] = (scenario, *reversed(scenario.drafts[:-1]))
    for each in parts:
        problems = library.problems_of(each)
        if problems:
            is_file, source = each.source in library.refused, writable(each.source)
            whose = f"the last valid version of {source if is_file else f'`{each.name}`'}"
            if detail.endswith(source):
                whose = "its last valid version"
            where = f"{problems[0].line}:{problems[0].column}: {f'{problems[0].path}: ' if problems[0].path else ''}"
            what = "the file" if is_file else "it"
            return f" ({whose}: {what} is invalid since, {where}{problems[0].message})"
    return ""


def _choice(rule: Rule, detail: str, near_misses: tuple[NearMiss, ...] = ()) -> Choice:
    return Choice(rule, detail, near_misses) if near_misses else _plain_choice(rule, detail)


@lru_cache(maxsize=1024)
def _plain_choice(rule: Rule, detail: str) -> Choice:
    """One for all runs that were chosen for alike."""
    return Choice(rule, detail)


def as_chosen(scenario: Scenario, choice: Choice, submission: Submission) -> Scenario:
    """`scenario`; a notebook's by default is cut by the client's time limit even if the built-in file says otherwise.

    Whoever asks for that one by its name wants it to last; a notebook that is merely launched ends when its time is
    up. A user's own file of that name means what it says.
    """
    if choice.rule is not Rule.DEFAULT or not submission.is_notebook or scenario.source != BUILT_IN:
        return scenario
    return scenario.within_timeout
