"""From a run to what its telemetry is computed from."""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from emulator.hardware.devices import Device
from emulator.hardware.profiles import find_profile
from emulator.noise import uniform
from emulator.runs.run import Run
from emulator.scenario import metrics
from emulator.scenario.metrics import BeatSpec, MetricPhase, Quantity, ShapeSpec, Unit
from emulator.scenario.ranges import NumberRange, Ramp
from emulator.scenario.script import DRAW_OVERRIDE, DRAW_PHASE, Script, drawn_ms
from emulator.statuses import RunStatus
from emulator.telemetry.shapes import QUANTITIES, SHAPES, Beat, Shape, Span
from emulator.telemetry.workload import Override, Phase, Workload

_GIB = 1 << 30
_ACTIVITIES = frozenset((Quantity.SM, Quantity.TENSOR, Quantity.DRAM))


def workload_of(run: Run) -> Workload:
    """The workload of `run`, as far as its course is fixed by what is known now.

    Points exist while it runs, or from `metrics_from` on: before, there is no machine whose exporter could be
    asked (inferred).
    """
    profile, scenario, course = find_profile(run.hardware), run.script.scenario, run.course
    device = None if profile is None else profile.device
    return Workload(
        seed=run.script.seed,
        device=device,
        gpus=0 if profile is None else profile.gpus,
        ram_bytes=0 if profile is None else profile.ram_gib * _GIB,
        vcpus=0 if profile is None else profile.vcpus,
        phases=phases_of(run.script, device),
        exists_from_ms=course.started_ms(scenario.metrics_from),
        running_from_ms=course.started_ms(RunStatus.RUNNING),
        until_ms=None if course.end is None else course.end.at_ms,
        keyframes=tuple(scenario.series.items()),
        disturbances=scenario.telemetry,
    )


@lru_cache(maxsize=256)
def phases_of(script: Script, device: Device | None) -> tuple[Phase, ...]:
    """What the machine is busy with while running, phase after phase; a script that does not say so trains.

    A phase without duration lasts for the rest of a running that does not end by itself. Who asks again for the same
    script gets the same objects, which are compared in no time.
    """
    shapes = SHAPES | {name: shape_of(name, spec, device) for name, spec in script.scenario.shapes.items()}
    phases = []
    rest_ms = script.running_ms
    for index, phase in enumerate(script.scenario.metrics):
        duration_ms = rest_ms if phase.duration is None else drawn_ms(phase.duration, script.seed, DRAW_PHASE, index)
        rest_ms = None if rest_ms is None or duration_ms is None else max(0, rest_ms - duration_ms)
        phases.append(Phase(shapes[phase.shape], duration_ms, _overrides(phase, script.seed, index, device)))
    return tuple(phases) or (Phase(SHAPES["train-llm"]),)


def shape_of(name: str, spec: ShapeSpec, device: Device | None) -> Shape:
    """A scenario's own shape on a device, in whose share of power the model counts."""
    shape = replace(SHAPES[spec.like], name=name)
    if spec.levels.keys() & _ACTIVITIES:  # power then follows from the activity
        shape = replace(shape, load_percent=None, power_percent=None)
    if Quantity.POWER in spec.levels:  # which `load_percent` would go before
        shape = replace(shape, load_percent=None)
    levels = {QUANTITIES[quantity]: _constant(level, device) for quantity, level in spec.levels.items()}
    beats = {} if spec.beats is None else {"beats": tuple(_beat(beat) for beat in spec.beats)}
    return replace(shape, **levels, **beats)


def _constant(level: metrics.Override, device: Device | None) -> float:
    assert isinstance(level.value, int | float), "shapes have constants"  # noqa: S101
    return level.value * _factor(level.unit, device)


def _beat(spec: BeatSpec) -> Beat:
    def during(quantity: Quantity) -> Span | None:
        span = spec.during.get(quantity)
        return None if span is None else (span.low, span.high)

    return Beat(
        every_ms=spec.every_ms,
        lasts_ms=(spec.lasts.low_ms, spec.lasts.high_ms),
        activity=(spec.activity.low / 100.0, spec.activity.high / 100.0),
        jitter=spec.jitter_percent / 100.0,
        sawtooth=spec.sawtooth,
        gpu_utilization_percent=during(Quantity.GPU_UTILIZATION),
        pcie_rx_bytes_per_s=during(Quantity.PCIE_RX),
        pcie_tx_bytes_per_s=during(Quantity.PCIE_TX),
    )


def _overrides(phase: MetricPhase, seed: int, index: int, device: Device | None) -> tuple[Override, ...]:
    overrides = []
    for position, (quantity, override) in enumerate(phase.overrides.items()):
        factor = _factor(override.unit, device)
        start, end = _ends(override.value, seed, index, position)
        overrides.append(Override(QUANTITIES[quantity], start * factor, end * factor))
    return tuple(overrides)


def _ends(value: Ramp | NumberRange | float, seed: int, index: int, position: int) -> tuple[float, float]:
    match value:
        case Ramp(start, end):
            return start, end
        case NumberRange(low, high):
            drawn = low + (high - low) * uniform(seed, DRAW_OVERRIDE, index, position)
            return drawn, drawn
        case constant:
            return constant, constant


def _factor(unit: Unit, device: Device | None) -> float:
    """What takes a number to the model's unit, which counts power in percent of the board's limit."""
    return 100 / device.power_limit_w if unit is Unit.WATT and device is not None else 1.0
