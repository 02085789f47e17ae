"""Scripts: a scenario resolved for one run's seed, every duration drawn."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from emulator.noise import between
from emulator.scenario.model import Scenario, Selection
from emulator.scenario.ranges import DurationRange
from emulator.scenario.timeline import Ending, ScriptedStage
from emulator.statuses import RUNNING

# The parts of a script that draw from the seed, each with a number of its own, so that adding one never changes
# what the others drew.
_DRAW_STAGE, _DRAW_SHUTDOWN, DRAW_FIELD, DRAW_PHASE, DRAW_OVERRIDE, DRAW_VARIANT = range(1, 7)
_DRAW_SELECTION = 7
DRAW_CALLBACK = 8


class Script(Struct, frozen=True, eq=False, gc=False):
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
        return last.duration_ms if last.status is RUNNING else 0


def resolve(scenario: Scenario, run_seed: int) -> Script:
    """The script of `scenario` for one run; a seed in the scenario itself makes all its runs alike."""
    seed = run_seed if scenario.seed is None else scenario.seed
    stages = scenario.fixed_stages or _drawn_stages(scenario, seed)
    return Script(scenario, seed, stages, drawn_ms(scenario.shutdown, seed, _DRAW_SHUTDOWN))


def _drawn_stages(scenario: Scenario, seed: int) -> tuple[ScriptedStage, ...]:
    return tuple(
        ScriptedStage(stage.status, None if stage.duration is None else drawn_ms(stage.duration, seed, _DRAW_STAGE, i))
        for i, stage in enumerate(scenario.timeline)
    )


def drawn_ms(span: DurationRange, seed: int, *key: int) -> int:
    """The milliseconds that `seed` draws from `span`; `key` tells one draw from another."""
    return span.low_ms if span.is_fixed else between(span.low_ms, span.high_ms, seed, *key)


class Stretches(NamedTuple):
    """How long a GPU selection takes for what it does itself, in milliseconds."""

    analysis_ms: int
    extraction_ms: int
    processing_ms: int


def stretches_of(script: Script) -> Stretches:
    """What the script's seed draws for the selection's own stretches."""
    selection = script.scenario.selection or Selection()
    spans = (selection.analysis, selection.extraction, selection.processing)
    return Stretches(*(drawn_ms(span, script.seed, _DRAW_SELECTION, number) for number, span in enumerate(spans)))
