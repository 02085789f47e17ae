"""Ctrl+C while the client follows a run."""

import pytest

from tests.clients.official import VERSIONS, OfficialClient, Outcome, execution_id_in

ABORTING = "Aborting execution... (press Ctrl+C again to force exit)"


def assert_was_aborted(lyceum: OfficialClient, execution_id: str) -> None:
    record = lyceum.record(execution_id)
    assert (record["status"], record["return_code"]) == ("aborted", 137)
    assert record["start_time"] < record["end_time"]
    assert record["stdout"].startswith("tick 1\n")


@pytest.mark.parametrize("version", VERSIONS)
def test_ctrl_c_during_a_python_run_aborts_it(lyceum: OfficialClient) -> None:
    outcome = lyceum.interrupt("python", "run", lyceum.file("endless.py"), once_it_printed="tick 1\n")
    execution_id = execution_id_in(outcome.stdout)
    assert outcome.exit_code == 1
    assert ABORTING in outcome.stdout.split("\n")
    assert_was_aborted(lyceum, execution_id)


@pytest.mark.parametrize("command", ["docker", "compose"])
def test_ctrl_c_during_a_container_run_aborts_it(lyceum: OfficialClient, command: str) -> None:
    what = {"docker": "python:3.13", "compose": lyceum.file("endless.yml", "services: {}\n")}[command]
    arguments = (command, "run", what, "--metadata", "emulator.scenario=until-told")
    outcome = lyceum.interrupt(*arguments, once_it_printed="tick 1\n")
    assert outcome.exit_code == 1
    assert ABORTING in outcome.stdout.split("\n")
    assert_was_aborted(lyceum, execution_id_in(outcome.stdout))


def test_ctrl_c_during_docker_logs_leaves_the_run_alone(lyceum: OfficialClient) -> None:
    execution_id = lyceum.start("image", "until-told", docker_image_ref="python:3.13")
    outcome = lyceum.interrupt("docker", "logs", execution_id, once_it_printed="tick 1\n")
    assert outcome.exit_code == 1
    assert ABORTING not in outcome.stdout
    assert lyceum.record(execution_id)["status"] == "running"


def test_a_follower_of_a_run_that_somebody_aborts_is_told(lyceum: OfficialClient) -> None:
    execution_id = lyceum.start("image", "until-told", docker_image_ref="python:3.13")
    lyceum.wait_until(execution_id, "running")
    assert lyceum("jobs", "abort", execution_id).exit_code == 0
    outcome = lyceum("docker", "logs", execution_id)
    output = lyceum.record(execution_id)["stdout"]
    assert outcome == Outcome(1, f"{output}Failed (exit code 137)\nExecution ID: {execution_id}\n", "")
