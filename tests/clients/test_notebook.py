"""`lyceum notebook`."""

import pytest

from tests.clients.official import OfficialClient, Outcome, execution_id_in

# Not 1.1.7, whose notebook commands all end in a NameError of its own.
WITH_NOTEBOOKS = pytest.mark.parametrize("version", ["1.2.2", "1.0.52"])


@WITH_NOTEBOOKS
def test_launching_prints_the_address_of_the_notebook(lyceum: OfficialClient) -> None:
    outcome = lyceum("notebook", "launch", "--port", "9999", "--token", "sesame")
    execution_id = execution_id_in(outcome.stdout)
    assert outcome == Outcome(
        0,
        "\n"
        "Notebook starting!\n"
        "\n"
        f"https://{execution_id}-9999.port.lyceum.technology/?token=sesame\n"
        "\n"
        f"Execution ID: {execution_id}\n"
        "\n"
        f"To stop: lyceum notebook stop {execution_id}\n",
        "",
    )


@WITH_NOTEBOOKS
def test_a_launched_notebook_is_listed_until_it_is_stopped(lyceum: OfficialClient) -> None:
    nothing = Outcome(0, "No running notebooks found.\n", "")
    assert lyceum("notebook", "list") == nothing

    execution_id = execution_id_in(lyceum("notebook", "launch", "--machine", "gpu.h100").stdout)
    (row,) = lyceum.get("/workloads/list")
    assert lyceum("notebook", "list") == Outcome(
        0,
        "Running Notebooks (1)\n"
        "\n"
        f"{execution_id}\n"
        "  Status: running\n"
        "  Machine: gpu.h100\n"
        f"  URL: https://{execution_id}-8888.port.lyceum.technology\n"
        f"  Created: {row['created_at']}\n"
        "\n",
        "",
    )

    stopped = Outcome(0, f"Notebook {execution_id} stopped.\n", "")
    assert lyceum("notebook", "stop", execution_id) == stopped
    assert lyceum("notebook", "list") == nothing
    record = lyceum.record(execution_id)
    assert (record["status"], record["return_code"]) == ("completed", 0)

    late = Outcome(0, f"Notebook {execution_id} not found or already stopped.\n", "")
    assert lyceum("notebook", "stop", execution_id) == late


def test_a_run_that_is_no_notebook_is_not_listed_as_one(lyceum: OfficialClient) -> None:
    execution_id = lyceum.start("image", "until-told", docker_image_ref="python:3.13")
    assert [row["execution_id"] for row in lyceum.get("/workloads/list")] == [execution_id]
    assert lyceum("notebook", "list") == Outcome(0, "No running notebooks found.\n", "")


def test_the_built_in_notebook_runs_until_it_is_stopped(lyceum: OfficialClient) -> None:
    launched = lyceum("notebook", "launch", "--metadata", "emulator.scenario=notebook")
    execution_id = execution_id_in(launched.stdout)
    assert [row["execution_id"] for row in lyceum.get("/workloads/list")] == [execution_id]
    assert lyceum("notebook", "stop", execution_id).exit_code == 0
    assert lyceum.get("/workloads/list") == []


@WITH_NOTEBOOKS
def test_a_notebook_of_another_image_runs_until_it_is_stopped_without_being_told_to(lyceum: OfficialClient) -> None:
    """No file matches it and none is named: it takes the default of notebooks."""
    lyceum.hold_time()  # its time would be up before a slow machine has started the client thrice
    execution_id = execution_id_in(lyceum("notebook", "launch", "--image", "quay.io/lab:1").stdout)
    lyceum.let_pass("5m")
    assert "Status: running" in lyceum("notebook", "list").stdout
    assert lyceum("notebook", "stop", execution_id) == Outcome(0, f"Notebook {execution_id} stopped.\n", "")
    lyceum.let_pass("2s")
    assert lyceum.record(execution_id)["status"] == "completed"
    assert lyceum("notebook", "list") == Outcome(0, "No running notebooks found.\n", "")
