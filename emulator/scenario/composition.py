"""From what files give to whole scenarios: bases, own keys, entries of a sequence and variants laid over each other."""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import TypeVar, cast

from msgspec.structs import replace

from emulator.errors import Problem, ScenarioError
from emulator.scenario.file import keys as k
from emulator.scenario.file.draft import Draft, Override, digest_of
from emulator.scenario.file.grammar import Findings, in_order
from emulator.scenario.file.metrics import keyframes
from emulator.scenario.file.output import check_output
from emulator.scenario.file.records import Key, Located
from emulator.scenario.file.selection import SelectionDraft
from emulator.scenario.file.shapes import check_shapes
from emulator.scenario.file.timeline import Timeline
from emulator.scenario.layers import (
    ENTRY,
    FILE,
    PROFILE,
    Held,
    InForce,
    held_in,
    laid_over,
    sets_in_force,
    value_in,
    variants_layer,
)
from emulator.scenario.model import CallbackPlan, ProfilePlan, Scenario, Selection, TimeLimit, Variant
from emulator.scenario.output import OutputEntry
from emulator.scenario.ranges import DurationRange
from emulator.statuses import RunStatus

T = TypeVar("T")
D = TypeVar("D")


def compose(chain: tuple[Draft, ...]) -> Scenario:
    """The scenario of the last draft, which extends the one before it, and so on.

    Raises ScenarioError with what is wrong between the files, placed in the last one, which has to change.
    """
    return _Composition(chain).scenario()


def misfits(bases: tuple[Draft, ...] | None, draft: Draft) -> tuple[Problem, ...]:
    """What is wrong between the layers of `draft`, which may have problems of its own, and what it extends.

    `bases` is None where it is not known what that is.
    """
    return _Composition((*(bases or ()), draft), is_whole=bases is not None).problems()


class _Composition:
    def __init__(self, chain: tuple[Draft, ...], *, is_whole: bool = True) -> None:
        self._chain = chain
        self._is_whole = is_whole
        self._own = chain[-1]
        self._depth = len(chain) - 1
        self._problems: list[Problem] = []
        # By the identity of what the drafts hold, which outlives this.
        self._checked: set[tuple[int, int]] = set()
        self._lists: dict[int, tuple[object, ...]] = {}

    def scenario(self) -> Scenario:
        problems = self.problems()
        if problems:
            raise ScenarioError(self._own.source, problems)
        return self._whole(self._keys)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong between layers, in the order of the text."""
        keys = self._keys
        for each in sets_in_force(keys):
            self._check_output(each)
            self._check_shapes(each)
        after = keys.get(k.AFTER_SEQUENCE.name)
        if after is not None and after.depth == self._depth and k.SEQUENCE.name not in keys:
            self._problems.append(after.given.problem("there is no `sequence` for this to come after"))
        return in_order(self._problems)

    @cached_property
    def _keys(self) -> InForce:
        """What is in force outside of entries and profiles."""
        keys: InForce = {} if self._is_whole else dict.fromkeys(key.name for key in k.KEYS)
        for depth, draft in enumerate(self._chain):
            handed_on = {name: held for name, held in keys.items() if name not in k.PERSONAL}
            keys = laid_over(handed_on, draft, depth, FILE)
        return keys

    def _whole(self, keys: InForce) -> Scenario:
        digest = digest_of(self._chain)
        scenario = self._plain(keys, digest)
        entries = value_in(keys, k.SEQUENCE, ())
        if not entries:
            return replace(scenario, variants=self._variants(keys, digest))
        depth = held_in(keys, k.SEQUENCE).depth
        sequence = []
        for number, located in enumerate(entries):
            over = laid_over(keys, located.value, depth, ENTRY)
            entry = self._plain(over, f"{digest} sequence[{number}]")
            variants = self._variants(over, entry.digest)
            sequence.append(replace(entry, variants=variants, label=located.value.name))
        restarts = value_in(keys, k.AFTER_SEQUENCE, "repeat") == "restart"
        return replace(scenario, sequence=tuple(sequence), restarts=restarts)

    def _variants(self, keys: InForce, digest: str) -> tuple[Variant, ...]:
        held = keys.get(k.VARIANTS.name)
        if held is None:
            return ()
        layer = variants_layer(held)
        overrides: list[Override] = [located.value for located in value_in(keys, k.VARIANTS, ())]
        return tuple(
            Variant(
                each.weight,
                each.name,
                self._plain(laid_over(keys, each, held.depth, layer), f"{digest} variants[{number}]"),
            )
            for number, each in enumerate(overrides)
        )

    def _plain(self, keys: InForce, digest: str) -> Scenario:
        """What `keys` say, without alternatives."""
        own, timeline = self._own, cast(Timeline, held_in(keys, k.TIMELINE).given.value)
        return Scenario(
            name=own.name,
            summary=value_in(keys, k.SUMMARY, _summary_of(own.name)),
            source=own.source,
            text=own.text,
            digest=digest,
            timeline=timeline.stages,
            ending=timeline.ending,
            match=value_in(keys, k.MATCH, None),
            output=self._values(keys, k.OUTPUT),
            metrics=self._values(keys, k.METRICS),
            series=MappingProxyType({key: keyframes(table) for key, table in value_in(keys, k.SERIES, {}).items()}),
            shapes=MappingProxyType({name: each.value for name, each in value_in(keys, k.SHAPES, {}).items()}),
            telemetry=self._values(keys, k.TELEMETRY),
            metrics_from=RunStatus(value_in(keys, k.METRICS_FROM, RunStatus.RUNNING)),
            time_limit=TimeLimit(value_in(keys, k.TIMEOUT, TimeLimit.ENFORCE)),
            stop_status=RunStatus(value_in(keys, k.STOP_STATUS, RunStatus.COMPLETED)),
            shutdown=value_in(keys, k.SHUTDOWN, DurationRange(0, 0)),
            seed=value_in(keys, k.SEED, None),
            hardware=value_in(keys, k.HARDWARE, None),
            needs_env=tuple(dict.fromkeys(each.value for each in value_in(keys, k.NEEDS_ENV, ()))),
            callbacks=value_in(keys, k.CALLBACKS, CallbackPlan()),
            faults=self._values(keys, k.FAULTS),
            selection=self._selection(keys, digest),
            drafts=self._chain,
        )

    def _selection(self, keys: InForce, digest: str) -> Selection | None:
        held = keys.get(k.SELECTION.name)
        if held is None:
            return None
        draft, default = cast(SelectionDraft, held.given.value), Selection()
        profiles: dict[str, ProfilePlan] = {}
        without = {name: each for name, each in keys.items() if name != k.SELECTION.name}
        for name, located in (draft.profiles or {}).items():
            given, speed = located.value.keys, located.value.speed
            if k.TIMELINE.name in given and speed is None:
                speed = 1.0  # a timeline that is written for one device holds for that device
            over = laid_over(without, located.value, held.depth, PROFILE)
            plain = self._plain(over, f"{digest} {name}") if given else None
            profiles[name] = ProfilePlan(plain, speed)
        return Selection(
            profiles=None if draft.profiles is None else MappingProxyType(profiles),
            analysis=draft.analysis or default.analysis,
            extraction=draft.extraction or default.extraction,
            processing=draft.processing or default.processing,
            error=draft.error,
            checks_code=draft.code_check != "ignore",
            parameters=default.parameters if draft.parameters is None else draft.parameters,
        )

    def _values(self, keys: InForce, key: Key[tuple[Located[T], ...]]) -> tuple[T, ...]:
        """The entries of a list; alternatives that have the same one share it."""
        located = value_in(keys, key, ())
        if id(located) not in self._lists:
            self._lists[id(located)] = tuple(each.value for each in located)
        return cast("tuple[T, ...]", self._lists[id(located)])

    def _check_output(self, keys: InForce) -> None:
        """Check an output against a timeline of another layer; those of one layer were checked as they were read.

        A timeline that is written over an output may cut it short. An output written over a timeline has to fit.
        """
        timeline, output = keys.get(k.TIMELINE.name), keys.get(k.OUTPUT.name)
        if timeline is None or output is None:
            return
        if output.rank == timeline.rank or self._is_checked(output, timeline):
            return
        lines = cast("tuple[Located[OutputEntry], ...]", output.given.value)
        findings = Findings()
        written_over = output.depth == self._depth and output.rank > timeline.rank
        check_output(lines, cast(Timeline, timeline.given.value), findings, may_be_cut=not written_over)
        if written_over:
            self._problems += findings.problems()
            return
        whose = "" if output.depth == self._depth else f" of `{self._chain[output.depth].name}`"
        blamed = timeline.given if timeline.depth == self._depth else self._own.keys[k.EXTENDS.name]
        self._problems += [
            blamed.problem(f"with this, `{problem.path}`{whose} does not fit: {problem.message}")
            for problem in findings.problems()[:1]
        ]

    def _check_shapes(self, keys: InForce) -> None:
        """Check that there are the shapes which phases name, whichever file or entry gives either."""
        metrics, shapes = keys.get(k.METRICS.name), keys.get(k.SHAPES.name)
        if metrics is None or (shapes is None and k.SHAPES.name in keys) or self._is_checked(metrics, shapes):
            return
        findings = Findings()
        check_shapes(value_in(keys, k.METRICS, ()), value_in(keys, k.SHAPES, {}), findings)
        if metrics.depth == self._depth:
            self._problems += findings.problems()
            return
        blamed = shapes.given if shapes and shapes.depth == self._depth else self._own.keys[k.EXTENDS.name]
        self._problems += [
            blamed.problem(
                f"with this, `{problem.path}` of `{self._chain[metrics.depth].name}` does not fit: {problem.message}"
            )
            for problem in findings.problems()[:1]
        ]

    def _is_checked(self, one: Held, other: Held | None) -> bool:
        pair = id(one.given), id(None if other is None else other.given)
        if pair in self._checked:
            return True
        self._checked.add(pair)
        return False


def _summary_of(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").capitalize() + "."
