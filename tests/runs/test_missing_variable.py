"""Runs that lack an environment variable which their scenario needs."""

import pytest

from emulator.runs.lifecycle import Cause, Course, course_of
from emulator.scenario.environment import MISSED_AFTER_MS
from emulator.scenario.file.format import read_scenario
from emulator.scenario.script import resolve
from emulator.scenario.submission import Kind, Submission
from emulator.statuses import RunStatus


def course(timeline: str, *environment: str, timeout_s: int = 60) -> Course:
    text = f"timeline: {timeline}\nneeds_env: [HF_TOKEN]"
    script = resolve(read_scenario(text, name="needy", source="needy.yaml"), 0)
    submission = Submission(Kind.PYTHON, "cpu", timeout_s=timeout_s, code="pass", environment=environment)
    return course_of(script, submission, 0, ())


@pytest.mark.parametrize("running", ["10s", "until_stopped"])
def test_the_run_reaches_running_and_fails_soon_after(running: str) -> None:
    found = course(f"[{{pending: 1s}}, {{starting: 2s}}, {{running: {running}}}]")
    assert [stage.status for stage in found.stages] == [RunStatus.PENDING, RunStatus.STARTING, RunStatus.RUNNING]
    assert found.end is not None
    assert (found.end.at_ms, found.end.cause) == (3_000 + MISSED_AFTER_MS, Cause.MISSING_VARIABLE)
    assert found.end.ending.return_code == 1


def test_with_the_variable_the_run_goes_its_way() -> None:
    found = course("[{running: 10s}]", "HF_TOKEN")
    assert found.end is not None
    assert (found.end.at_ms, found.end.cause) == (10_000, Cause.SCRIPT)


@pytest.mark.parametrize(("running_ms", "cause"), [(250, Cause.SCRIPT), (251, Cause.MISSING_VARIABLE)])
def test_an_end_that_comes_no_later_is_not_undone(running_ms: int, cause: Cause) -> None:
    found = course(f"[{{running: {running_ms}ms}}, {{failed: {{return_code: 3}}}}]")
    assert found.end is not None
    assert (found.end.at_ms, found.end.cause) == (250, cause)
