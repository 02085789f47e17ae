"""Scripts: a scenario resolved for one run's seed, every duration drawn and every line's time fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from emulator.noise import between, uniform
from emulator.scenario.model import (
    DurationRange,
    Ending,
    NumberRange,
    Quantity,
    Ramp,
    Scenario,
    ShapeName,
    Unit,
)
from emulator.statuses import RunStatus

# The parts of a script that draw from the seed, each with a number of its own, so that adding one never changes
# what the others drew.
_DRAW_STAGE, _DRAW_SHUTDOWN, DRAW_FIELD, _DRAW_PHASE, _DRAW_OVERRIDE, DRAW_VARIANT = range(1, 7)


class ScriptedStage(NamedTuple):
    """A stretch with one status; no duration means until somebody stops the run."""

    status: RunStatus
    duration_ms: int | None


class Level(NamedTuple):
    """A quantity that a phase sets: linear from `start` to `end` over the phase."""

    quantity: Quantity
    start: float
    end: float
    unit: Unit


class PlannedPhase(NamedTuple):
    """A stretch of the metric plan; no duration means the rest of a running that does not end by itself."""

    shape: ShapeName
    duration_ms: int | None
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """What one run will do if nobody interferes."""

    scenario: Scenario
    seed: int
    stages: tuple[ScriptedStage, ...]
    shutdown_ms: int

    @property
    def ending(self) -> Ending | None:
        """How the run ends by itself, or None if it never does."""
        return self.scenario.ending

    @property
    def running_ms(self) -> int | None:
        """How long running lasts; None without end, 0 where the run never gets there."""
        last = self.stages[-1]
        return last.duration_ms if last.status is RunStatus.RUNNING else 0


def resolve(scenario: Scenario, run_seed: int) -> Script:
    """The script of `scenario` for one run; a seed in the scenario itself makes all its runs alike."""
    seed = run_seed if scenario.seed is None else scenario.seed
    stages = tuple(
        ScriptedStage(stage.status, None if stage.duration is None else _draw(stage.duration, seed, _DRAW_STAGE, i))
        for i, stage in enumerate(scenario.timeline)
    )
    return Script(scenario, seed, stages, _draw(scenario.shutdown, seed, _DRAW_SHUTDOWN))


def _draw(span: DurationRange, seed: int, *key: int) -> int:
    return span.low_ms if span.low_ms == span.high_ms else between(span.low_ms, span.high_ms, seed, *key)


def metric_plan(script: Script) -> tuple[PlannedPhase, ...]:
    """What the machine is busy with while running, phase after phase; a script that does not say so trains."""
    if not script.scenario.metrics:
        return (PlannedPhase(ShapeName.TRAIN_LLM, None),)
    plan = []
    rest_ms = script.running_ms
    for index, phase in enumerate(script.scenario.metrics):
        duration_ms = rest_ms if phase.duration is None else _draw(phase.duration, script.seed, _DRAW_PHASE, index)
        rest_ms = None if rest_ms is None or duration_ms is None else max(0, rest_ms - duration_ms)
        levels = tuple(
            Level(quantity, *_level(override.value, script.seed, index, position), override.unit)
            for position, (quantity, override) in enumerate(phase.overrides.items())
        )
        plan.append(PlannedPhase(phase.shape, duration_ms, levels))
    return tuple(plan)


def _level(value: Ramp | NumberRange | float, seed: int, index: int, position: int) -> tuple[float, float]:
    match value:
        case Ramp(start, end):
            return start, end
        case NumberRange(low, high):
            drawn = low + (high - low) * uniform(seed, _DRAW_OVERRIDE, index, position)
            return drawn, drawn
        case constant:
            return constant, constant
