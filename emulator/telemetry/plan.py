"""From a run to what its telemetry is computed from."""

from __future__ import annotations

from emulator.hardware.devices import Device
from emulator.hardware.profiles import find_profile
from emulator.runs.run import Run
from emulator.scenario.model import Unit
from emulator.scenario.script import Level, PlannedPhase, metric_plan
from emulator.statuses import RunStatus
from emulator.telemetry.shapes import QUANTITIES, SHAPES
from emulator.telemetry.workload import Override, Phase, Workload

_GIB = 1 << 30


def workload_of(run: Run) -> Workload:
    """The workload of `run`, as far as its course is fixed by what is known now.

    Points exist while it runs: before, there is no machine whose exporter could be asked (inferred).
    """
    profile = find_profile(run.hardware)
    device = None if profile is None else profile.device
    running_ms = run.course.started_ms(RunStatus.RUNNING)
    return Workload(
        seed=run.script.seed,
        device=device,
        gpus=0 if profile is None else profile.gpus,
        ram_bytes=0 if profile is None else profile.ram_gib * _GIB,
        vcpus=0 if profile is None else profile.vcpus,
        phases=tuple(_phase(planned, device) for planned in metric_plan(run.script)),
        exists_from_ms=running_ms,
        running_from_ms=running_ms,
        until_ms=None if run.course.end is None else run.course.end.at_ms,
        keyframes=tuple(run.script.scenario.series.items()),
    )


def _phase(planned: PlannedPhase, device: Device | None) -> Phase:
    overrides = tuple(_override(level, device) for level in planned.levels)
    return Phase(SHAPES[planned.shape], planned.duration_ms, overrides)


def _override(level: Level, device: Device | None) -> Override:
    factor = 1.0
    if level.unit is Unit.WATT and device is not None:  # the model counts power in percent of the board's limit
        factor = 100 / device.power_limit_w
    return Override(QUANTITIES[level.quantity], level.start * factor, level.end * factor)
