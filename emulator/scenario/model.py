"""A scenario as values: what a file says, checked and with its units read, nothing drawn or resolved yet."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from emulator.faults.fault import Fault
from emulator.scenario.file.draft import Draft
from emulator.scenario.metrics import Keyframes, MetricPhase, ShapeSpec
from emulator.scenario.output import OutputEntry
from emulator.scenario.pipeline import PipelineFault
from emulator.scenario.ranges import DurationRange, NumberRange
from emulator.scenario.timeline import Ending, ScriptedStage, StageSpec
from emulator.statuses import RunStatus

BUILT_IN = "built-in"
"""The source of the scenarios that come with the emulator."""


class Match(Struct, frozen=True):
    """Conditions on a submission; all that are given must hold. Patterns are shell-style.

    `labels`: each pattern fits one of the submission's labels; `metadata`: each key's value fits its pattern.
    """

    kind: str | None = None
    file_name: str | None = None
    code: str | None = None
    run_name: str | None = None
    labels: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    hardware: str | None = None
    image: str | None = None
    command: str | None = None


class TimeLimit(StrEnum):
    """Whether the client's `timeout` cuts the run."""

    ENFORCE = "enforce"
    IGNORE = "ignore"


class ProfilePlan(Struct, frozen=True):
    """What one profile of a GPU selection runs: a scenario of its own (None: the one of all), and how fast.

    `speed` counts how many times as fast as its timeline says; None: as fast as the profile's device is.
    """

    scenario: Scenario | None = None
    speed: float | None = None


class Selection(Struct, frozen=True):
    """What a GPU selection does: its profiles by name (None: all GPU profiles that are listed), and its own stretches.

    `error` refuses every code; `checks_code` says whether a look at the code may do so. `parameters` are those of
    the submitted model, in billions.
    """

    profiles: Mapping[str, ProfilePlan] | None = None
    analysis: DurationRange = DurationRange(1_000, 1_000)
    extraction: DurationRange = DurationRange(3_000, 3_000)
    processing: DurationRange = DurationRange(2_000, 2_000)
    error: str | None = None
    checks_code: bool = True
    parameters: float = 1.3


class CallbackPlan(Struct, frozen=True):
    """How the callback URLs of a run are called: each so many times (0: never), each time so long after the end."""

    times: int = 1
    delay: DurationRange = DurationRange(0, 0)


class Scenario(Struct, frozen=True, dict=True):
    """One scenario file.

    `timeline` always holds pending, starting and running in this order, as far as the run gets; entries that
    the file leaves out last 0 ms. `ending` is None when the last stage lasts until somebody stops it.
    `text` is the file as written, `source` where it came from; two scenarios with one `digest` are the same.

    A run takes an alternative, which has none itself (`picking.pick`): one of `sequence` in its turn, and of that
    one's or the scenario's own `variants` by chance. A scenario with a sequence has variants in its entries only.
    `metrics_from` is the status from which on there are metrics: starting or running.
    `needs_env` are the environment variables without which the run fails.
    `label` is what the file calls an entry of the sequence. `drafts` are the files that it is composed of, its own
    last.
    """

    name: str
    summary: str
    source: str
    text: str
    digest: str
    timeline: tuple[StageSpec, ...]
    ending: Ending | None
    match: Match | None = None
    output: tuple[OutputEntry, ...] = ()
    metrics: tuple[MetricPhase, ...] = ()
    series: Mapping[str, Keyframes] = field(default_factory=lambda: MappingProxyType({}))
    shapes: Mapping[str, ShapeSpec] = field(default_factory=lambda: MappingProxyType({}))
    telemetry: tuple[PipelineFault, ...] = ()
    metrics_from: RunStatus = RunStatus.RUNNING
    time_limit: TimeLimit = TimeLimit.ENFORCE
    stop_status: RunStatus = RunStatus.COMPLETED
    shutdown: DurationRange = DurationRange(0, 0)
    seed: int | None = None
    hardware: str | None = None
    needs_env: tuple[str, ...] = ()
    selection: Selection | None = None
    callbacks: CallbackPlan = CallbackPlan()
    faults: tuple[Fault, ...] = ()
    variants: tuple[Variant, ...] = ()
    sequence: tuple[Scenario, ...] = ()
    restarts: bool = False
    label: str | None = None
    drafts: tuple[Draft, ...] = ()

    @property
    def bases(self) -> tuple[str, ...]:
        """The names of the scenarios that it extends, the nearest first."""
        return tuple(draft.name for draft in reversed(self.drafts[:-1]))

    @cached_property
    def fixed_stages(self) -> tuple[ScriptedStage, ...] | None:
        """The stages of every run, where none of their lengths is drawn."""
        spans = [stage.duration for stage in self.timeline]
        if not all(span is None or span.is_fixed for span in spans):
            return None
        return tuple(
            ScriptedStage(stage.status, None if stage.duration is None else stage.duration.low_ms)
            for stage in self.timeline
        )

    @cached_property
    def within_timeout(self) -> Scenario:
        """The same, but cut by the client's time limit."""
        return replace(self, digest=f"{self.digest} within its timeout", time_limit=TimeLimit.ENFORCE)

    @cached_property
    def on_profiles(self) -> dict[str, Scenario]:
        """What `selection.child_scenario` made of it, by profile: kept with it, and forgotten with it."""
        return {}

    @cached_property
    def draws_output(self) -> bool:
        """Whether what a run writes depends on its seed."""
        return any(isinstance(spec, NumberRange) for entry in self.output for spec in entry.fields.values())


class Variant(Struct, frozen=True):
    """One of a scenario's variants: the whole scenario that it comes to, and how often it is drawn."""

    weight: int
    name: str | None
    scenario: Scenario
