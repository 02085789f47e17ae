"""A scenario on a faster or a slower device: whatever its code does takes a shorter or a longer time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from emulator.scenario.metrics import Keyframes, MetricPhase
from emulator.scenario.model import Scenario
from emulator.scenario.output import OutputEntry
from emulator.scenario.pipeline import PipelineFault
from emulator.scenario.ranges import DurationRange
from emulator.scenario.timeline import StageSpec
from emulator.statuses import RunStatus


def scaled(scenario: Scenario, speed: float) -> Scenario:
    """`scenario` with everything in running `speed` times as fast: its length, its output, its metrics.

    Queueing, starting and shutting down are the machine's business and stay. Instants that fall together in the
    scenario still do, since all are rounded alike.
    """
    if speed == 1.0:
        return scenario
    return replace(
        scenario,
        digest=f"{scenario.digest} at {speed!r}",
        timeline=tuple(_stage(stage, speed) for stage in scenario.timeline),
        output=tuple(_entry(entry, speed) for entry in scenario.output),
        metrics=tuple(_phase(phase, speed) for phase in scenario.metrics),
        series=MappingProxyType(_series(scenario.series, speed)),
        telemetry=tuple(_fault(fault, speed) for fault in scenario.telemetry),
    )


def _ms(ms: int, speed: float) -> int:
    return round(ms / speed)


def _span(span: DurationRange, speed: float) -> DurationRange:
    return DurationRange(_ms(span.low_ms, speed), _ms(span.high_ms, speed))


def _stage(stage: StageSpec, speed: float) -> StageSpec:
    if stage.status is not RunStatus.RUNNING or stage.duration is None:
        return stage
    return replace(stage, duration=_span(stage.duration, speed))


def _entry(entry: OutputEntry, speed: float) -> OutputEntry:
    return replace(
        entry,
        from_ms=_ms(entry.from_ms, speed),
        every_ms=None if entry.every_ms is None else max(1, _ms(entry.every_ms, speed)),
        until_ms=None if entry.until_ms is None else _ms(entry.until_ms, speed),
    )


def _fault(fault: PipelineFault, speed: float) -> PipelineFault:
    """Times count from the start of running; how late points are is the exporter's business."""
    return replace(
        fault,
        from_ms=None if fault.from_ms is None else _ms(fault.from_ms, speed),
        until_ms=None if fault.until_ms is None else _ms(fault.until_ms, speed),
    )


def _phase(phase: MetricPhase, speed: float) -> MetricPhase:
    return phase if phase.duration is None else replace(phase, duration=_span(phase.duration, speed))


def _series(series: Mapping[str, Keyframes], speed: float) -> dict[str, Keyframes]:
    # Of frames that fall into one millisecond the last one counts: times have to rise.
    moved = {name: {_ms(at_ms, speed): value for at_ms, value in frames} for name, frames in series.items()}
    return {name: tuple(frames.items()) for name, frames in moved.items()}
