"""A run as a value."""

import pytest
from msgspec.structs import replace

from emulator.scenario.timeline import ScriptedStage
from emulator.statuses import RunStatus
from tests.strategies import abort, run_of, scenario_of, stop


def test_a_command_gives_a_new_run_and_leaves_the_old_one_as_it_was() -> None:
    run = run_of(scenario_of())
    before = run.course
    aborted = run.with_command(abort(5))
    assert run.course == before
    assert (run.commands, aborted.commands) == ((), (abort(5),))
    assert aborted.course == run_of(scenario_of(), abort(5)).course


def test_commands_are_kept_in_the_order_in_which_they_came() -> None:
    run = run_of(scenario_of()).with_command(stop(60)).with_command(abort(61))
    assert run.commands == (stop(60), abort(61))


def test_a_run_cannot_be_edited() -> None:
    run = run_of(scenario_of())
    with pytest.raises(AttributeError, match="immutable"):
        run.seed = 2  # type: ignore[misc]  # that is the point


def test_the_scenarios_hardware_comes_before_the_submissions() -> None:
    assert run_of(scenario_of(), hardware="cpu").hardware == "cpu"
    assert run_of(scenario_of(hardware="gpu.b200"), hardware="cpu").hardware == "gpu.b200"


def test_the_script_of_a_run_has_its_scenarios_stages() -> None:
    run = run_of(scenario_of(1, 2, 3))
    assert run.script.stages == (
        ScriptedStage(RunStatus.PENDING, 1),
        ScriptedStage(RunStatus.STARTING, 2),
        ScriptedStage(RunStatus.RUNNING, 3),
    )
    assert replace(run, seed=9).script is run.script
