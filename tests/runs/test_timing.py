"""The moments and phases of a run."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from emulator.runs.command import Command
from emulator.runs.run import Run
from emulator.runs.timing import Moments, PhaseName, TimingPhase, moments, phases
from emulator.scenario.model import TimeLimit
from emulator.scenario.timeline import Ending
from emulator.statuses import RunStatus
from tests.strategies import T0, abort, force, lasting, run_of, scenario_of, stop

LONG = scenario_of(time_limit=TimeLimit.IGNORE)
SLOW_TO_STOP = replace(LONG, shutdown=lasting(6_000))
QUEUED, LAUNCHING, EXECUTING, SHUTTING_DOWN = PhaseName


def at(seconds: float) -> int:
    return T0 + round(seconds * 1000)


def shown(run: Run, seconds: float) -> list[tuple[PhaseName, float, float | None]]:
    return [
        (
            phase.name,
            (phase.starts_ms - T0) / 1000,
            None if phase.ends_ms is None else (phase.ends_ms - T0) / 1000,
        )
        for phase in phases(run, at(seconds))
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, Moments(T0, None, None, None, None)),
        (3.999, Moments(T0, None, None, None, None)),
        (4, Moments(T0, at(4), None, None, None)),
        (43.999, Moments(T0, at(4), None, None, None)),
        (44, Moments(T0, at(4), at(44), None, None)),
        (283.999, Moments(T0, at(4), at(44), None, None)),
        (284, Moments(T0, at(4), at(44), at(284), at(284))),
    ],
)
def test_a_moment_is_there_from_its_instant_on(seconds: float, expected: Moments) -> None:
    assert moments(run_of(LONG), at(seconds)) == expected


@pytest.mark.parametrize("command", [abort, stop])
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1, Moments(T0, None, None, None, at(1))),
        (10, Moments(T0, at(4), None, None, at(10))),
        (60, Moments(T0, at(4), at(44), at(60), at(60))),
    ],
)
def test_moments_that_an_early_end_forestalls_stay_empty_for_good(
    command: Callable[[float], Command], seconds: float, expected: Moments
) -> None:
    run = run_of(LONG, command(seconds))
    assert moments(run, at(seconds)) == expected
    assert moments(run, at(10_000)) == expected


def test_a_run_that_fails_while_starting_never_ran_user_code() -> None:
    run = run_of(scenario_of(until=RunStatus.STARTING, ending=Ending(RunStatus.SYSTEM_FAILURE)))
    assert moments(run, at(10_000)) == Moments(T0, at(4), None, None, at(44))


def test_phases_are_those_entered_and_the_last_is_open() -> None:
    run = run_of(LONG)
    assert shown(run, 0) == [(QUEUED, 0, None)]
    assert shown(run, 3.999) == [(QUEUED, 0, None)]
    assert shown(run, 4) == [(QUEUED, 0, 4), (LAUNCHING, 4, None)]
    assert shown(run, 100) == [(QUEUED, 0, 4), (LAUNCHING, 4, 44), (EXECUTING, 44, None)]
    assert shown(run, 283.999) == shown(run, 100)
    assert shown(run, 284) == [(QUEUED, 0, 4), (LAUNCHING, 4, 44), (EXECUTING, 44, 284)]


def test_a_shutdown_is_a_phase_of_its_own() -> None:
    run = run_of(SLOW_TO_STOP, stop(60))
    assert shown(run, 59.999) == [(QUEUED, 0, 4), (LAUNCHING, 4, 44), (EXECUTING, 44, None)]
    assert shown(run, 66) == [
        (QUEUED, 0, 4),
        (LAUNCHING, 4, 44),
        (EXECUTING, 44, 60),
        (SHUTTING_DOWN, 60, 66),
    ]


@pytest.mark.parametrize("seconds", [60, 62, 65.999])
def test_a_shutdown_shows_while_it_lasts(seconds: float) -> None:
    run = run_of(SLOW_TO_STOP, stop(60))
    assert shown(run, seconds)[2:] == [(EXECUTING, 44, 60), (SHUTTING_DOWN, 60, None)]


@pytest.mark.parametrize(
    "last",
    [abort(62), force(62, RunStatus.FAILED), force(62, RunStatus.SYSTEM_FAILURE)],
    ids=["abort", "f", "s"],
)
def test_a_shutdown_that_was_cut_short_shows_as_far_as_it_went(last: Command) -> None:
    run = run_of(SLOW_TO_STOP, stop(60), last)
    assert shown(run, 70)[2:] == [(EXECUTING, 44, 60), (SHUTTING_DOWN, 60, 62)]


def test_a_phase_of_no_duration_is_still_one() -> None:
    run = run_of(scenario_of(0, 0, 1_000))
    assert shown(run, 0) == [(QUEUED, 0, 0), (LAUNCHING, 0, 0), (EXECUTING, 0, None)]


def test_nothing_is_entered_before_the_submission() -> None:
    assert phases(run_of(LONG), T0 - 1) == []
    assert phases(run_of(LONG), T0) == [TimingPhase(QUEUED, T0, None)]
