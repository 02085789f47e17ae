"""What the GPU is busy with, phase after phase: shapes, the quantities that a phase sets, exact values."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from msgspec import Struct, field

from emulator.scenario.ranges import DurationRange, NumberRange, Ramp


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
