"""From what files give to whole scenarios: bases, own keys, entries of a sequence and variants laid over each other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from emulator.errors import Problem, ScenarioError
from emulator.scenario.file import keys as k
from emulator.scenario.file.draft import Draft, Given, Keys, Override, digest_of
from emulator.scenario.file.grammar import Findings, in_order
from emulator.scenario.file.metrics import keyframes
from emulator.scenario.file.output import check_output
from emulator.scenario.file.records import Key, Located
from emulator.scenario.file.selection import SelectionDraft
from emulator.scenario.file.shapes import check_shapes
from emulator.scenario.file.timeline import Timeline
from emulator.scenario.model import (
    CallbackPlan,
    DurationRange,
    OutputEntry,
    ProfilePlan,
    Scenario,
    Selection,
    TimeLimit,
    Variant,
)
from emulator.statuses import RunStatus

T = TypeVar("T")
D = TypeVar("D")

# The layers of one file, in the order in which they are written over each other: an entry of `sequence` is written
# over the file and its `variants`, and may bring variants of its own.
# A profile of a selection is written over all of them.
_FILE, _FILES_VARIANT, _ENTRY, _ENTRYS_VARIANT, _PROFILE = range(5)


class _Held(Struct, frozen=True):
    """A key in force, and which layer of which file of the chain gives it."""

    given: Given
    depth: int
    layer: int

    @property
    def rank(self) -> tuple[int, int]:
        return self.depth, self.layer


_InForce: TypeAlias = Mapping[str, _Held]


def compose(chain: tuple[Draft, ...]) -> Scenario:
    """The scenario of the last draft, which extends the one before it, and so on.

    Raises ScenarioError with what is wrong between the files, placed in the last one, which has to change.
    """
    return _Composition(chain).scenario()


class _Composition:
    def __init__(self, chain: tuple[Draft, ...]) -> None:
        self._chain = chain
        self._own = chain[-1]
        self._depth = len(chain) - 1
        self._problems: list[Problem] = []
        # By the identity of what the drafts hold, which outlives this.
        self._checked: set[tuple[int, int]] = set()
        self._lists: dict[int, tuple[object, ...]] = {}

    def scenario(self) -> Scenario:
        keys: _InForce = {}
        for depth, draft in enumerate(self._chain):
            handed_on = {name: held for name, held in keys.items() if name not in k.PERSONAL}
            keys = _over(handed_on, draft.keys, depth, _FILE)
        scenario = self._whole(keys)
        after = keys.get(k.AFTER_SEQUENCE.name)
        if after is not None and after.depth == self._depth and k.SEQUENCE.name not in keys:
            self._problems.append(after.given.problem("there is no `sequence` for this to come after"))
        if self._problems:
            raise ScenarioError(self._own.source, in_order(self._problems))
        return scenario

    def _whole(self, keys: _InForce) -> Scenario:
        digest = digest_of(self._chain)
        scenario = self._plain(keys, digest)
        entries = _get(keys, k.SEQUENCE, ())
        if not entries:
            return replace(scenario, variants=self._variants(keys, digest))
        depth = keys[k.SEQUENCE.name].depth
        sequence = []
        for number, located in enumerate(entries):
            over = _over(keys, located.value.keys, depth, _ENTRY)
            entry = self._plain(over, f"{digest} sequence[{number}]")
            variants = self._variants(over, entry.digest)
            sequence.append(replace(entry, variants=variants, label=located.value.name))
        restarts = _get(keys, k.AFTER_SEQUENCE, "repeat") == "restart"
        return replace(scenario, sequence=tuple(sequence), restarts=restarts)

    def _variants(self, keys: _InForce, digest: str) -> tuple[Variant, ...]:
        held = keys.get(k.VARIANTS.name)
        if held is None:
            return ()
        layer = _FILES_VARIANT if held.layer == _FILE else _ENTRYS_VARIANT
        overrides: list[Override] = [located.value for located in _get(keys, k.VARIANTS, ())]
        return tuple(
            Variant(
                each.weight,
                each.name,
                self._plain(_over(keys, each.keys, held.depth, layer), f"{digest} variants[{number}]"),
            )
            for number, each in enumerate(overrides)
        )

    def _plain(self, keys: _InForce, digest: str) -> Scenario:
        """What `keys` say, without alternatives."""
        self._check_output(keys)
        self._check_shapes(keys)
        own, timeline = self._own, cast(Timeline, keys[k.TIMELINE.name].given.value)
        return Scenario(
            name=own.name,
            summary=_get(keys, k.SUMMARY, _summary_of(own.name)),
            source=own.source,
            text=own.text,
            digest=digest,
            timeline=timeline.stages,
            ending=timeline.ending,
            match=_get(keys, k.MATCH, None),
            output=self._values(keys, k.OUTPUT),
            metrics=self._values(keys, k.METRICS),
            series=MappingProxyType({key: keyframes(table) for key, table in _get(keys, k.SERIES, {}).items()}),
            shapes=MappingProxyType({name: each.value for name, each in _get(keys, k.SHAPES, {}).items()}),
            telemetry=self._values(keys, k.TELEMETRY),
            metrics_from=RunStatus(_get(keys, k.METRICS_FROM, RunStatus.RUNNING)),
            time_limit=TimeLimit(_get(keys, k.TIMEOUT, TimeLimit.ENFORCE)),
            stop_status=RunStatus(_get(keys, k.STOP_STATUS, RunStatus.COMPLETED)),
            shutdown=_get(keys, k.SHUTDOWN, DurationRange(0, 0)),
            seed=_get(keys, k.SEED, None),
            hardware=_get(keys, k.HARDWARE, None),
            needs_env=tuple(dict.fromkeys(each.value for each in _get(keys, k.NEEDS_ENV, ()))),
            callbacks=_get(keys, k.CALLBACKS, CallbackPlan()),
            faults=self._values(keys, k.FAULTS),
            selection=self._selection(keys, digest),
            drafts=self._chain,
        )

    def _selection(self, keys: _InForce, digest: str) -> Selection | None:
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
            over = _over(without, given, held.depth, _PROFILE)
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

    def _values(self, keys: _InForce, key: Key[tuple[Located[T], ...]]) -> tuple[T, ...]:
        """The entries of a list; alternatives that have the same one share it."""
        located = _get(keys, key, ())
        if id(located) not in self._lists:
            self._lists[id(located)] = tuple(each.value for each in located)
        return cast("tuple[T, ...]", self._lists[id(located)])

    def _check_output(self, keys: _InForce) -> None:
        """Check an output against a timeline of another layer; those of one layer were checked as they were read.

        A timeline that is written over an output may cut it short. An output written over a timeline has to fit.
        """
        timeline, output = keys[k.TIMELINE.name], keys.get(k.OUTPUT.name)
        if output is None or output.rank == timeline.rank or self._is_checked(output, timeline):
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

    def _check_shapes(self, keys: _InForce) -> None:
        """Check that there are the shapes which phases name, whichever file or entry gives either."""
        metrics, shapes = keys.get(k.METRICS.name), keys.get(k.SHAPES.name)
        if metrics is None or self._is_checked(metrics, shapes):
            return
        findings = Findings()
        check_shapes(_get(keys, k.METRICS, ()), _get(keys, k.SHAPES, {}), findings)
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

    def _is_checked(self, one: _Held, other: _Held | None) -> bool:
        pair = id(one.given), id(None if other is None else other.given)
        if pair in self._checked:
            return True
        self._checked.add(pair)
        return False


def _over(keys: _InForce, given: Keys, depth: int, layer: int) -> _InForce:
    """`keys` with `given` in place of those of the same name."""
    return {**keys, **{name: _Held(each, depth, layer) for name, each in given.items()}}


def _get(keys: _InForce, key: Key[T], default: D) -> T | D:
    held = keys.get(key.name)
    return default if held is None else cast(T, held.given.value)


def _summary_of(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").capitalize() + "."
