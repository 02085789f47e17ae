"""What went wrong with a run, in words."""

import pytest
from msgspec.structs import replace

from emulator.runs.command import Command
from emulator.runs.failure import system_error, user_error
from emulator.runs.run import Run
from emulator.scenario.model import TimeLimit
from emulator.scenario.timeline import Ending
from emulator.statuses import RunStatus
from tests.strategies import abort, complete, force, run_of, scenario_of, stop

LONG = scenario_of(time_limit=TimeLimit.IGNORE)
LOST = "The execution was lost to an infrastructure problem."


def errors(run: Run) -> tuple[str | None, str | None]:
    """The system's and the user's."""
    assert run.course.end is not None
    return system_error(run, run.course.end), user_error(run.course.end)


def ended(ending: Ending) -> Run:
    return run_of(replace(LONG, ending=ending))


def test_a_clean_end_has_no_error() -> None:
    assert errors(run_of(LONG)) == (None, None)


def test_a_failure_of_user_code_is_the_users_and_not_the_systems() -> None:
    assert errors(ended(Ending(RunStatus.FAILED, 1, "CUDA out of memory."))) == (None, "CUDA out of memory.")
    assert errors(ended(Ending(RunStatus.FAILED, 1))) == (None, None)


@pytest.mark.parametrize("timeout_s", [1, 60, 600])
def test_the_error_of_a_time_out_names_the_limit(timeout_s: int) -> None:
    scenario = scenario_of(running_ms=10**9)
    text = f"Execution exceeded its time limit of {timeout_s} seconds and was terminated."
    assert errors(run_of(scenario, timeout_s=timeout_s)) == (text, None)


def test_an_infrastructure_failure_tells_its_cause_or_that_there_was_one() -> None:
    assert errors(ended(Ending(RunStatus.SYSTEM_FAILURE, None, "Xid 79"))) == ("Xid 79", None)
    assert errors(ended(Ending(RunStatus.SYSTEM_FAILURE))) == (LOST, None)


@pytest.mark.parametrize("command", [abort(60), stop(60), stop(1), complete(60)], ids=lambda c: f"{c.order}")
def test_who_ends_a_run_gets_no_error_for_it(command: Command) -> None:
    assert errors(run_of(LONG, command)) == (None, None)


def test_the_detail_of_a_forced_failure_is_its_error() -> None:
    assert errors(run_of(LONG, force(60, RunStatus.SYSTEM_FAILURE, "node drained"))) == ("node drained", None)
    assert errors(run_of(LONG, force(60, RunStatus.SYSTEM_FAILURE))) == (LOST, None)
    assert errors(run_of(LONG, force(60, RunStatus.FAILED, "boom"))) == (None, "boom")
    assert errors(run_of(LONG, force(60, RunStatus.ABORTED, "boom"))) == (None, None)
