"""What is valid in a scenario file and most likely not meant.

Only what the file itself says is told of: what it takes over from the scenario that it extends is that one's
business, and a timeline written over an output may cut it short.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from msgspec import Struct

from emulator.documents.syntax import cut
from emulator.errors import Problem
from emulator.scenario.faces import key_sets
from emulator.scenario.file.grammar import in_order
from emulator.scenario.linted_file import File, problem_in
from emulator.scenario.model import Scenario
from emulator.scenario.output import MAX_OUTPUT_LINES, OutputEntry, Placeholder
from emulator.scenario.precedence import never_matches, repeated_name
from emulator.scenario.ranges import DurationRange, Ramp
from emulator.statuses import RunStatus
from emulator.times import format_duration

CLIENT_LIMIT_MS = 60_000
"""The time limit that the official client's `python run` always sends."""

_WITHOUT_END = DurationRange(1 << 62, 1 << 62)
T = TypeVar("T")


class Lint(Struct, frozen=True):
    """A problem that keeps nothing from working, and the rule that found it."""

    rule: str
    problem: Problem


Rule = Callable[[File], Iterable[Problem]]


def _running_of(face: Scenario) -> DurationRange | None:
    """How long running lasts; None where the run never gets there."""
    last = face.timeline[-1]
    return (last.duration or _WITHOUT_END) if last.status is RunStatus.RUNNING else None


def no_summary(file: File) -> Iterator[Problem]:
    """No `summary`: lists show the name in its place."""
    if "summary" not in file.keys:
        message = "there is no `summary`: add the line that lists show, such as `summary: Fails at once.`"
        yield file.problem_at_top(message)


def no_timeout(file: File) -> Iterator[Problem]:
    """Running lasts longer than the limit that clients send, and no `timeout` says what is meant."""
    if any("timeout" in keys for draft in file.scenario.drafts for keys in key_sets(draft.keys)):
        return
    limit = format_duration(CLIENT_LIMIT_MS)
    for face in file.faces:
        running, timeline = _running_of(face), file.timeline_of(face)
        if running is None or timeline is None or running.high_ms <= CLIENT_LIMIT_MS:
            continue
        lasts = "until somebody stops it" if running is _WITHOUT_END else format_duration(running.high_ms)
        message = f"running lasts {lasts}, and the limit that most clients send, {limit}, cuts it"
        hint = "add `timeout: ignore`, or `timeout: enforce` if that is meant"
        yield file.problem_at_running(f"{message}: {hint}", timeline)


def late_output(file: File) -> Iterator[Problem]:
    """Output that some runs end before, or that is to go on after the end."""
    for face in file.faces:
        running = _running_of(face)
        for entry in face.output if running is not None else ():
            located = file.output.get(id(entry))
            if running is None or located is None or file.may_be_cut(located.path, face):
                continue
            if running.low_ms < entry.from_ms <= running.high_ms:
                starts, ends = format_duration(entry.from_ms), format_duration(running.low_ms)
                message = f"not every run writes this: it starts at {starts}, and running may end after {ends}"
                yield problem_in(located, message, "at" if entry.every_ms is None else "from")
            if entry.until_ms is not None and entry.until_ms > running.high_ms:
                message = f"beyond the end of running, which lasts {format_duration(running.high_ms)}"
                if any(isinstance(spec, Ramp) for spec in entry.fields.values()):
                    message += ": the ramps of `fields` never get to their `to`"
                yield problem_in(located, message, "until")


def late_phase(file: File) -> Iterator[Problem]:
    """Phases of `metrics` that last longer than running."""
    for face in file.faces:
        running = _running_of(face)
        starts_ms = 0
        for phase in face.metrics:
            located, begins_ms = file.phases.get(id(phase)), starts_ms
            starts_ms += 0 if phase.duration is None else phase.duration.low_ms
            if located is None or file.may_be_cut(located.path, face):
                continue
            if running is None:
                yield problem_in(located, "never shown: the run ends before `running`")
                continue
            ends = f"running ends after {format_duration(running.high_ms)}"
            if begins_ms and begins_ms >= running.high_ms:
                message = f"never reached: {ends}, and this starts at {format_duration(begins_ms)}"
                yield problem_in(located, message)
            elif starts_ms > running.high_ms:
                yield problem_in(located, f"cut: {ends}, and this goes on to {format_duration(starts_ms)}", "for")


def joined_text(file: File) -> Iterator[Problem]:
    """A text without line end that the next text runs into."""
    for face in file.faces:
        last: dict[str, OutputEntry] = {}
        told = {id(entry) for entry in face.output if _ends_line(entry)}
        for _, number in islice(_order(face), MAX_OUTPUT_LINES if len(told) < len(face.output) else 0):
            entry = face.output[number]
            before = last.get(entry.stream)
            last[entry.stream] = entry
            if before is None or id(before) in told or _begins_line(entry):
                continue
            told.add(id(before))
            located = file.output.get(id(before))
            if located is not None:
                following = "its own next one" if before is entry else f"`{cut(_start_of(entry))}`"
                message = f"the text has no line end, and {following} runs into it: end it with `\\n`"
                yield problem_in(located, f"{message}, or with a space if that is meant", "text")


def _order(face: Scenario) -> Iterator[tuple[int, int]]:
    """(time, number of the entry) of all that the longest run writes, in order."""
    running = _running_of(face)

    def times(number: int, entry: OutputEntry) -> Iterator[tuple[int, int]]:
        at_ms, end_ms = entry.from_ms, -1 if running is None else running.high_ms
        end_ms = end_ms if entry.until_ms is None else min(end_ms, entry.until_ms)
        while at_ms <= end_ms:
            yield at_ms, number
            if entry.every_ms is None:
                return
            at_ms += entry.every_ms

    return heapq.merge(*(times(number, entry) for number, entry in enumerate(face.output)))


def _ends_line(entry: OutputEntry) -> bool:
    last = entry.text[-1]
    return isinstance(last, str) and last[-1] in "\n\r \t"


def _begins_line(entry: OutputEntry) -> bool:
    first = entry.text[0]
    return isinstance(first, str) and first[0] in "\n\r"


def _start_of(entry: OutputEntry) -> str:
    first = entry.text[0]
    return f"{{{first.name}}}…" if isinstance(first, Placeholder) else first.strip()


def unused_field(file: File) -> Iterator[Problem]:
    """A field that no placeholder of its text names."""
    for located in file.output.values():
        used = {piece.name for piece in located.value.text if isinstance(piece, Placeholder)}
        for name in located.value.fields:
            if name not in used:
                message = f"not used: the text has no `{{{cut(name)}}}`"
                yield problem_in(located, message, "fields", name)


RULES: dict[str, Rule] = {
    "no-summary": no_summary,
    "no-timeout": no_timeout,
    "late-output": late_output,
    "late-phase": late_phase,
    "joined-text": joined_text,
    "unused-field": unused_field,
    "repeated-name": repeated_name,
    "never-matches": never_matches,
}
"""Each by the name under which it is told and can be ignored."""


def lint(scenario: Scenario, earlier: Sequence[Scenario] = ()) -> tuple[Lint, ...]:
    """What is odd about `scenario`, in the order of its text; `earlier` are those that are asked before it."""
    file = File(scenario, earlier)
    found = {problem: name for name, rule in RULES.items() for problem in rule(file)}
    return tuple(Lint(found[problem], problem) for problem in in_order(found))
