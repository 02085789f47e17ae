"""A scenario on a faster or slower device: all that its code does keeps its proportions."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.scenario.metrics import MetricPhase, ShapeName
from emulator.scenario.model import Scenario
from emulator.scenario.output import OutputEntry
from emulator.scenario.ranges import DurationRange
from emulator.scenario.scaling import scaled
from emulator.scenario.timeline import StageSpec
from emulator.statuses import RunStatus
from tests.strategies import scenario_of, scenarios

SCENARIO = scenario_of(
    output=(
        OutputEntry(("once",), from_ms=1_000),
        OutputEntry(("often",), from_ms=500, every_ms=250, until_ms=200_000),
    ),
    metrics=(
        MetricPhase("load", ShapeName.LOAD_WEIGHTS, DurationRange(10_000, 20_000)),
        MetricPhase("rest", ShapeName.EVAL),
    ),
    series=MappingProxyType({"gpuPowerWatt": ((0, 100.0), (2, 200.0), (3, 250.0), (8_000, 300.0))}),
    shutdown=DurationRange(2_000, 2_000),
)


@pytest.mark.parametrize(("speed", "running_ms"), [(2.0, 120_000), (0.25, 960_000)])
def test_running_is_scaled_and_what_the_machine_does_is_not(speed: float, running_ms: int) -> None:
    made = scaled(SCENARIO, speed)
    lengths = {stage.status: stage.duration for stage in made.timeline}
    assert lengths == {
        RunStatus.PENDING: DurationRange(4_000, 4_000),
        RunStatus.STARTING: DurationRange(40_000, 40_000),
        RunStatus.RUNNING: DurationRange(running_ms, running_ms),
    }
    assert (made.shutdown, made.ending) == (SCENARIO.shutdown, SCENARIO.ending)


def test_output_metrics_and_series_go_with_it() -> None:
    made = scaled(SCENARIO, 2.0)
    assert [(entry.from_ms, entry.every_ms, entry.until_ms) for entry in made.output] == [
        (500, None, None),
        (250, 125, 100_000),
    ]
    assert [phase.duration for phase in made.metrics] == [DurationRange(5_000, 10_000), None]
    # The frames at 3 and 4 ms would be at 1 and 2; those that meet in one millisecond become the last of them.
    assert made.series["gpuPowerWatt"] == ((0, 100.0), (1, 200.0), (2, 250.0), (4_000, 300.0))


def test_a_repetition_never_comes_to_a_standstill() -> None:
    flood = scenario_of(output=(OutputEntry(("x",), every_ms=1),))
    assert scaled(flood, 1000.0).output[0].every_ms == 1


def test_at_the_timelines_own_speed_it_is_the_very_same() -> None:
    assert scaled(SCENARIO, 1.0) is SCENARIO


@given(scenarios(), st.floats(0.001, 1000))
def test_what_lay_inside_running_still_does(scenario: Scenario, speed: float) -> None:
    made = scaled(scenario, speed)
    assert _places(made) <= _places(scenario)


def _places(scenario: Scenario) -> float:
    """How many of the output's times lie after the end of running."""
    last: StageSpec = scenario.timeline[-1]
    if last.status is not RunStatus.RUNNING or last.duration is None:
        return 0
    return sum(entry.from_ms > last.duration.high_ms for entry in scenario.output)
