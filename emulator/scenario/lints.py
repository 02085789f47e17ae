"""What is valid in a scenario file and most likely not meant.

Only what the file itself says is told of: what it takes over from the scenario that it extends is that one's
business, and a timeline written over an output may cut it short.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TypeVar, cast

from msgspec import Struct

from emulator.documents import MappingNode, Node, SequenceNode, read_document
from emulator.documents.syntax import cut
from emulator.errors import Problem
from emulator.scenario.file.draft import Given, Keys, Override
from emulator.scenario.file.grammar import in_order
from emulator.scenario.file.records import Located
from emulator.scenario.file.selection import SelectionDraft
from emulator.scenario.file.timeline import Timeline
from emulator.scenario.file.wildcards import covers
from emulator.scenario.model import (
    MAX_OUTPUT_LINES,
    DurationRange,
    Match,
    MetricPhase,
    OutputEntry,
    Placeholder,
    Ramp,
    Scenario,
)
from emulator.scenario.submission import Kind
from emulator.statuses import RunStatus
from emulator.times import format_duration

CLIENT_LIMIT_MS = 60_000
"""The time limit that the official client's `python run` always sends."""

_WITHOUT_END = DurationRange(1 << 62, 1 << 62)
T = TypeVar("T")

_STEP = re.compile(r"(\w+)|\[(\d+)\]")


class Lint(Struct, frozen=True):
    """A problem that keeps nothing from working, and the rule that found it."""

    rule: str
    problem: Problem


class File(Struct, frozen=True, dict=True):
    """A scenario with the places of what its own file gives, and the scenarios that are asked before it."""

    scenario: Scenario
    earlier: Sequence[Scenario] = ()

    @property
    def keys(self) -> Keys:
        """What the file gives at its top."""
        return self.scenario.drafts[-1].keys

    @cached_property
    def all_keys(self) -> tuple[Keys, ...]:
        return tuple(key_sets(self.keys))

    @cached_property
    def faces(self) -> tuple[Scenario, ...]:
        return tuple(faces_of(self.scenario))

    @cached_property
    def root(self) -> Node | None:
        return read_document(self.scenario.text).root

    @cached_property
    def output(self) -> Mapping[int, Located[OutputEntry]]:
        """The entries of output that the file gives, by their identity."""
        return self._located("output")

    @cached_property
    def phases(self) -> Mapping[int, Located[MetricPhase]]:
        """The same for the phases of `metrics`."""
        return self._located("metrics")

    def _located(self, key: str) -> dict[int, Located[T]]:
        lists = (cast("tuple[Located[T], ...]", keys[key].value) for keys in self.all_keys if key in keys)
        return {id(located.value): located for entries in lists for located in entries}

    def timeline_of(self, face: Scenario) -> Given | None:
        """Where the file gives the timeline of `face`; None if another file does."""
        given = (keys["timeline"] for keys in self.all_keys if "timeline" in keys)
        return next((each for each in given if cast(Timeline, each.value).stages is face.timeline), None)

    def may_be_cut(self, path: str, face: Scenario) -> bool:
        """Whether the timeline of `face` is written over what stands at `path`, and so may be shorter."""
        timeline = self.timeline_of(face)
        return timeline is not None and _layer(timeline.path) > _layer(path)

    def problem_at_top(self, message: str) -> Problem:
        line, column = (1, 1) if self.root is None else (self.root.line, self.root.column)
        return Problem(message, "", line, column)

    def problem_at_running(self, message: str, timeline: Given) -> Problem:
        """A problem at the entry for running, of the text if it is there."""
        node = self.root
        for word, index in _STEP.findall(timeline.path):
            node = _child(node, int(index) if index else word)
        for number, item in enumerate(node.items if isinstance(node, SequenceNode) else ()):
            length = _child(item, RunStatus.RUNNING.value)
            if length is not None:
                path = f"{timeline.path}[{number}].{RunStatus.RUNNING}"
                return Problem(message, path, length.line, length.column)
        return timeline.problem(message)


Rule = Callable[[File], Iterable[Problem]]


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


def _layer(path: str) -> int:
    """How far up what stands at `path` is written over the rest of the file."""
    return 4 * ("selection." in path) + 2 * path.startswith("sequence[") + ("variants[" in path)


def _child(node: Node | None, step: str | int) -> Node | None:
    if isinstance(step, int):
        return node.items[step] if isinstance(node, SequenceNode) else None
    entries = node.entries if isinstance(node, MappingNode) else ()
    return next((entry.value for entry in entries if entry.key == step), None)


def _problem_in(located: Located[T], message: str, *steps: str) -> Problem:
    """A problem of an entry, at the part that `steps` lead to."""
    node, path = located.node, located.path
    for step in steps:
        child = _child(node, step)
        if child is not None:
            node, path = child, f"{path}.{step}"
    return Problem(message, path, node.line, node.column)


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
                yield _problem_in(located, message, "at" if entry.every_ms is None else "from")
            if entry.until_ms is not None and entry.until_ms > running.high_ms:
                message = f"beyond the end of running, which lasts {format_duration(running.high_ms)}"
                if any(isinstance(spec, Ramp) for spec in entry.fields.values()):
                    message += ": the ramps of `fields` never get to their `to`"
                yield _problem_in(located, message, "until")


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
                yield _problem_in(located, "never shown: the run ends before `running`")
                continue
            ends = f"running ends after {format_duration(running.high_ms)}"
            if begins_ms and begins_ms >= running.high_ms:
                message = f"never reached: {ends}, and this starts at {format_duration(begins_ms)}"
                yield _problem_in(located, message)
            elif starts_ms > running.high_ms:
                yield _problem_in(located, f"cut: {ends}, and this goes on to {format_duration(starts_ms)}", "for")


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
                yield _problem_in(located, f"{message}, or with a space if that is meant", "text")


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
                yield _problem_in(located, message, "fields", name)


def repeated_name(file: File) -> Iterator[Problem]:
    """An earlier file has the same name, and does not extend this one."""
    hiding = _hiding(file)
    if hiding is not None and file.scenario.name not in hiding.bases:
        yield file.problem_at_top(f"never used: {hiding.source} is called `{hiding.name}`, too, and comes first")


def never_matches(file: File) -> Iterator[Problem]:
    """An earlier file's `match` holds whenever this one's does."""
    match = file.scenario.match
    if match is None or _hiding(file) is not None:
        return
    for other in file.earlier:
        if other.match is not None and _holds_wherever(other.match, match):
            message = f"never decides: whatever fits it fits the `match` of `{other.name}`, which is asked first"
            yield file.keys["match"].problem(message)
            return


def _hiding(file: File) -> Scenario | None:
    """The earlier scenario that has the same name."""
    return next((other for other in file.earlier if other.name == file.scenario.name), None)


def _holds_wherever(wide: Match, narrow: Match) -> bool:
    """Whether `wide` holds for every submission that `narrow` holds for."""
    kind = narrow.kind
    if kind is None and (narrow.image is not None or narrow.command is not None):
        kind = Kind.DOCKER  # no other start call has them
    texts = (
        (wide.file_name, narrow.file_name),
        (wide.code, narrow.code),
        (wide.run_name, narrow.run_name),
        (wide.image, narrow.image),
        (wide.command, narrow.command),
    )
    return (
        wide.kind in (None, kind)
        and all(pattern is None or (own is not None and covers(pattern, own)) for pattern, own in texts)
        and all(any(covers(pattern, own) for own in narrow.labels) for pattern in wide.labels)
        and all(
            key in narrow.metadata and covers(pattern, narrow.metadata[key]) for key, pattern in wide.metadata.items()
        )
        and _hardware_covers(wide.hardware, narrow.hardware)
    )


def _hardware_covers(wide: str | None, narrow: str | None) -> bool:
    if wide is None or narrow is None:
        return wide is None
    # A profile fits by its full name or by the bare one, so that `h100*` is as wide as `gpu.h100*`.
    return covers(wide, narrow) or covers(f"gpu.{wide}", narrow)


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
