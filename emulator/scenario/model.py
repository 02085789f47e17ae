"""A scenario as values: what a file says, checked and with its units read, nothing drawn or resolved yet."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from emulator.faults.fault import Fault
from emulator.scenario.file.draft import Draft
from emulator.scenario.pipeline import PipelineFault
from emulator.statuses import RunStatus

BUILT_IN = "built-in"
"""The source of the scenarios that come with the emulator."""

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class DurationRange(Struct, frozen=True):
    """`4s` (both ends alike) or `35s..50s`, from which the run's seed draws."""

    low_ms: int
    high_ms: int

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to draw."""
        return self.low_ms == self.high_ms


class NumberRange(Struct, frozen=True):
    """`2..9`: one draw from the seed each time it is used. Integer when both ends are."""

    low: float
    high: float


class Ramp(Struct, frozen=True):
    """`{from: 2.4, to: 0.9}`: linear over the stretch it belongs to."""

    start: float
    end: float


class StageSpec(Struct, frozen=True):
    """One active entry of the timeline; no duration means until somebody stops the run."""

    status: RunStatus
    duration: DurationRange | None


class ScriptedStage(NamedTuple):
    """A stretch with one status in one run; no duration means until somebody stops the run."""

    status: RunStatus
    duration_ms: int | None


class Ending(Struct, frozen=True):
    """How a run ends: its terminal status and what goes with it.

    `return_code` is None only for system_failure; `error` is the cause in the user's words, if any.
    """

    status: RunStatus
    return_code: int | None = None
    error: str | None = None
    result: Json = None


MAX_OUTPUT_LINES = 100_000
"""So many lines at most does a run write: a file that says more is refused, a run without end falls silent."""


class OutputStream(StrEnum):
    STDOUT = "stdout"
    STDERR = "stderr"


class Placeholder(Struct, frozen=True):
    """`{loss:.4f}` in a text: the field's name and its format spec (`[0-9.]{0,4}[dfeg]`, or empty).

    `d` rounds to a whole number.
    """

    name: str
    spec: str = ""


Template: TypeAlias = tuple[str | Placeholder, ...]
"""A text cut at its placeholders; `{{` and `}}` already stand for braces."""

FieldSpec: TypeAlias = Ramp | NumberRange | int | float | str
"""What a placeholder is filled with: a ramp over the entry's span, a draw per line, or a constant."""


class OutputEntry(Struct, frozen=True):
    """One entry of `output`: a text at one time (`every_ms` is None), or repeated.

    Times count from the start of running. A repeated entry goes on to `until_ms`, or to the end of running.
    """

    text: Template
    stream: OutputStream = OutputStream.STDOUT
    from_ms: int = 0
    every_ms: int | None = None
    until_ms: int | None = None
    fields: Mapping[str, FieldSpec] = field(default_factory=lambda: MappingProxyType({}))


class ShapeName(StrEnum):
    """What the GPU is busy with during a phase. Named as in the telemetry reference, section 4."""

    BARE_IDLE = "bare-idle"
    CONTEXT = "context"
    LOAD_WEIGHTS = "load-weights"
    TRAIN_LLM = "train-llm"
    TRAIN_VISION = "train-vision"
    EVAL = "eval"
    CHECKPOINT = "checkpoint"
    PREFILL = "prefill"
    DECODE = "decode"
    DATA_STARVED = "data-starved"
    HANG = "hang"
    OOM = "oom"
    IDLE_BETWEEN_KERNELS = "idle-between-kernels"
    INFERENCE = "inference"
    LOST = "lost"


class Quantity(StrEnum):
    """What a phase may set itself. PCIe as the GPU sees it: rx comes from the host."""

    GPU_UTILIZATION = "gpu_utilization"
    GPU_MEMORY = "gpu_memory"
    SM = "sm"
    TENSOR = "tensor"
    DRAM = "dram"
    POWER = "power"
    POWER_LIMIT = "power_limit"
    AIRFLOW = "airflow"
    PCIE_RX = "pcie_rx"
    PCIE_TX = "pcie_tx"
    CPU = "cpu"
    RAM = "ram"


class Unit(StrEnum):
    """What the numbers of an override count."""

    PERCENT = "percent"
    WATT = "watt"
    BYTES_PER_SECOND = "bytes_per_second"


class Override(Struct, frozen=True):
    """A quantity that a phase sets: a constant, one draw per run from a range, or a ramp over the phase.

    Percent is 0-100 of the whole (`power`: of the device's power limit); PCIe rates are bytes per second.
    """

    value: Ramp | NumberRange | float
    unit: Unit


class MetricPhase(Struct, frozen=True):
    """A stretch of the metric plan; `duration` None means the rest of running.

    `shape` is one of `ShapeName` or of the scenario's own `shapes`. `overrides` replace quantities of the shape
    (`gpu_memory: {from: 55%, to: 100%}`).
    """

    name: str
    shape: str
    duration: DurationRange | None = None
    overrides: Mapping[Quantity, Override] = field(default_factory=lambda: MappingProxyType({}))


class BeatSpec(Struct, frozen=True):
    """A pause that comes back in a shape: each `every_ms`, give or take `jitter_percent`, for so long.

    Activity is `activity` percent of the shape's meanwhile, mostly near the high end. `during` gives quantities of
    the pause alone. `sawtooth` lets the time before a pause decline towards it.
    """

    every_ms: int
    lasts: DurationRange
    activity: NumberRange
    jitter_percent: float
    sawtooth: bool = False
    during: Mapping[Quantity, NumberRange] = field(default_factory=lambda: MappingProxyType({}))


class ShapeSpec(Struct, frozen=True):
    """A scenario's own shape: a built-in one with some quantities, all constant, and its beats replaced.

    `beats` come with the slowest first; None means those of `like`.
    """

    like: ShapeName
    levels: Mapping[Quantity, Override] = field(default_factory=lambda: MappingProxyType({}))
    beats: tuple[BeatSpec, ...] | None = None


Keyframes: TypeAlias = tuple[tuple[int, float], ...]
"""(milliseconds since the start of running, value), in order of time."""


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
    def draws_output(self) -> bool:
        """Whether what a run writes depends on its seed."""
        return any(isinstance(spec, NumberRange) for entry in self.output for spec in entry.fields.values())


class Variant(Struct, frozen=True):
    """One of a scenario's variants: the whole scenario that it comes to, and how often it is drawn."""

    weight: int
    name: str | None
    scenario: Scenario
