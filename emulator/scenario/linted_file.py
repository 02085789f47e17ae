"""A scenario with the places of what its own file says, for rules that tell of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeVar, cast

from msgspec import Struct

from emulator.documents import MappingNode, Node, SequenceNode, read_document
from emulator.errors import Problem
from emulator.scenario.faces import faces_of, key_sets
from emulator.scenario.file.draft import Given, Keys
from emulator.scenario.file.records import Located
from emulator.scenario.file.timeline import Timeline
from emulator.scenario.metrics import MetricPhase
from emulator.scenario.model import Scenario
from emulator.scenario.output import OutputEntry
from emulator.statuses import RunStatus

T = TypeVar("T")

_STEP = re.compile(r"(\w+)|\[(\d+)\]")


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
            node = child_of(node, int(index) if index else word)
        for number, item in enumerate(node.items if isinstance(node, SequenceNode) else ()):
            length = child_of(item, RunStatus.RUNNING.value)
            if length is not None:
                path = f"{timeline.path}[{number}].{RunStatus.RUNNING}"
                return Problem(message, path, length.line, length.column)
        return timeline.problem(message)


def _layer(path: str) -> int:
    """How far up what stands at `path` is written over the rest of the file."""
    return 4 * ("selection." in path) + 2 * path.startswith("sequence[") + ("variants[" in path)


def child_of(node: Node | None, step: str | int) -> Node | None:
    """The part of `node` that `step` leads to, None if there is none."""
    if isinstance(step, int):
        return node.items[step] if isinstance(node, SequenceNode) else None
    entries = node.entries if isinstance(node, MappingNode) else ()
    return next((entry.value for entry in entries if entry.key == step), None)


def problem_in(located: Located[T], message: str, *steps: str) -> Problem:
    """A problem of an entry, at the part that `steps` lead to."""
    node, path = located.node, located.path
    for step in steps:
        child = child_of(node, step)
        if child is not None:
            node, path = child, f"{path}.{step}"
    return Problem(message, path, node.line, node.column)
