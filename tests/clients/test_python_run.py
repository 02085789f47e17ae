"""`lyceum python run`: what it prints and returns for every way in which a run can go."""

import json
from typing import Any

import pytest

from tests.clients.official import VERSIONS, OfficialClient, Outcome, execution_id_in

LATER = "You can check the execution later with: lyceum status\n"


def latest(lyceum: OfficialClient) -> dict[str, Any]:
    """The full record of this account's newest run."""
    newest: dict[str, Any] = lyceum.get("/billing/history")["executions"][0]
    return lyceum.record(newest["execution_id"])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_clean_run_prints_its_output_and_exits_with_0(lyceum: OfficialClient) -> None:
    outcome = lyceum("python", "run", lyceum.file("train-small.py"))
    record = latest(lyceum)
    stdout = "loading data\nepoch 1 loss 1.90\nepoch 2 loss 1.50\nepoch 3 loss 1.10\n"
    stderr = "warning: checkpoint not saved\n"
    assert outcome == Outcome(0, f"{stdout}{stderr}Execution ID: {record['execution_id']}\n", "")
    assert (record["status"], record["return_code"]) == ("completed", 0)
    assert (record["stdout"], record["stderr"]) == (stdout, stderr)


@pytest.mark.parametrize("version", VERSIONS)
def test_user_code_that_fails_is_reported_with_its_exit_code(lyceum: OfficialClient) -> None:
    outcome = lyceum("python", "run", lyceum.file("gives-up.py"))
    record = latest(lyceum)
    assert outcome == Outcome(
        1,
        "reading data set\n"
        "the data set is empty\n"
        "Failed (exit code 3)\n"
        f"Execution ID: {record['execution_id']}\n{LATER}",
        "",
    )
    assert (record["status"], record["return_code"]) == ("failed", 3)


@pytest.mark.parametrize("version", VERSIONS)
def test_running_out_of_gpu_memory_shows_the_error_and_exits_with_1(lyceum: OfficialClient) -> None:
    outcome = lyceum("python", "run", lyceum.file("big-batch.py"))
    record = latest(lyceum)
    assert outcome == Outcome(
        1,
        "batch size 4096\n"
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB.\n"
        "Failed (exit code 1)\n"
        f"Execution ID: {record['execution_id']}\n{LATER}",
        "",
    )
    assert (record["status"], record["return_code"]) == ("failed", 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_system_failure_shows_its_cause_and_no_exit_code(lyceum: OfficialClient) -> None:
    outcome = lyceum("python", "run", lyceum.file("unlucky.py"))
    record = latest(lyceum)
    cause = "GPU 0 has fallen off the bus (Xid 79)"
    assert outcome == Outcome(1, f"step 1\n{cause}\nExecution ID: {record['execution_id']}\n{LATER}", "")
    assert (record["status"], record["return_code"]) == ("system_failure", None)
    assert record["system_errors"] == [cause]


def test_a_system_failure_before_the_code_runs_prints_its_cause_alone(lyceum: OfficialClient) -> None:
    outcome = lyceum("python", "run", "print(1)", "--metadata", "emulator.scenario=finds-no-machine")
    record = latest(lyceum)
    cause = "the machine did not become ready"
    assert outcome == Outcome(1, f"{cause}\nExecution ID: {record['execution_id']}\n{LATER}", "")
    assert (record["status"], record["start_time"]) == ("system_failure", None)


def test_a_run_is_cut_at_the_time_limit_that_the_client_sends(lyceum: OfficialClient) -> None:
    outcome = lyceum("python", "run", "print(1)", "--metadata", "emulator.scenario=outlives-its-limit")
    record = latest(lyceum)
    assert outcome == Outcome(
        1,
        f"this will take a while\nFailed (exit code 124)\nExecution ID: {record['execution_id']}\n{LATER}",
        "",
    )
    assert (record["status"], record["return_code"]) == ("failed", 124)
    (limit,) = record["system_errors"]
    assert "60" in limit  # seconds: the client has no option for another


@pytest.mark.parametrize("version", VERSIONS)
def test_the_account_queue_decides_where_the_client_has_no_option_for_it(lyceum: OfficialClient) -> None:
    lyceum.queue("says-nothing")
    outcome = lyceum("python", "run", lyceum.file("gives-up.py"))
    assert outcome == Outcome(0, f"Execution ID: {latest(lyceum)['execution_id']}\n", "")


def test_awkward_text_arrives_whole(lyceum: OfficialClient) -> None:
    """Line separators inside a line, markup, quotes; the client itself drops colours and blank lines."""
    outcome = lyceum("python", "run", "print(1)", "--metadata", "emulator.scenario=awkward-text")
    record = latest(lyceum)
    assert outcome == Outcome(
        0,
        "naïve ✓ 東京 🚀\n"
        "one\u2028line\u0085only\n"
        "red\nafter blank lines\n"
        "[bold]no markup[/bold] 100%\n"
        'data: {"output": 1}\n'
        f"no newline at the endExecution ID: {record['execution_id']}\n",
        "",
    )
    assert "\x1b[31mred\x1b[0m\n\n\n\nafter" in record["stdout"]


def test_what_the_client_sends_about_a_run_is_found_in_its_record(lyceum: OfficialClient) -> None:
    outcome = lyceum(
        *("python", "run", lyceum.file("sweep.py", "print('sweep')\n"), "--machine", "gpu.h100"),
        *("--run-name", "sweep 7", "--label", "nightly", "--label", "gpu"),
        *("--metadata", "emulator.scenario=says-nothing", "--metadata", "team=vision"),
        *("--requirements", "numpy==2.3.0", "--", "--epochs", "3"),
    )
    assert outcome.exit_code == 0
    record = lyceum.record(execution_id_in(outcome.stdout))
    assert record["file_name"] == "sweep.py"
    assert record["hardware_profile"] == "gpu.h100"
    assert record["python_code"] == "import sys; sys.argv = ['sweep.py', '--epochs', '3']\nprint('sweep')\n"
    assert record["python_requirements"] == "numpy==2.3.0"


def test_a_scenario_that_does_not_exist_is_refused_with_the_nearest_name(lyceum: OfficialClient) -> None:
    outcome = lyceum("python", "run", "print(1)", "--metadata", "emulator.scenario=untill-told")
    first, _, body = outcome.stdout.partition("\n")
    assert (outcome.exit_code, first) == (1, "Error: HTTP 422")
    (problem,) = json.loads(body)["detail"]
    assert "until-told" in problem["msg"]
    assert lyceum.get("/billing/history")["executions"] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_machine_that_is_not_on_offer_is_refused_before_anything_is_submitted(
    lyceum: OfficialClient,
) -> None:
    outcome = lyceum("python", "run", "print(1)", "--machine", "gpu.abacus")
    refusal, offer = outcome.stdout.split("\n")[:2]
    assert (outcome.exit_code, refusal) == (1, "Error: You don't have access to machine type 'gpu.abacus'")
    available = lyceum.get("/user/quotas/available-hardware")["available_hardware_profiles"]
    assert offer == f"Available machines: {', '.join(available)}"
    assert lyceum.get("/billing/history")["executions"] == []


@pytest.mark.parametrize(
    ("scenario", "exit_code", "status"),
    [
        ("completed", 0, "completed"),
        ("failed", 1, "failed"),
        ("oom", 1, "failed"),
        ("system-failure", 1, "system_failure"),
        ("system-failure-starting", 1, "system_failure"),
        ("timeout", 1, "failed"),
        ("slow-start", 0, "completed"),
        ("cancelled", 1, "cancelled"),
        ("silent", 0, "completed"),
        ("unicode-output", 0, "completed"),
    ],
)
def test_a_built_in_scenario_ends_as_it_is_called(
    lyceum: OfficialClient, scenario: str, exit_code: int, status: str
) -> None:
    outcome = lyceum("python", "run", "print(1)", "--metadata", f"emulator.scenario={scenario}")
    record = lyceum.record(execution_id_in(outcome.stdout))
    assert (outcome.exit_code, record["status"]) == (exit_code, status)


def test_ten_thousand_lines_all_arrive(lyceum: OfficialClient) -> None:
    outcome = lyceum("python", "run", "print(1)", "--metadata", "emulator.scenario=chatty")
    output, trailer, _ = outcome.stdout.rpartition("Execution ID: ")
    assert (outcome.exit_code, trailer, output.count("\n")) == (0, "Execution ID: ", 10_000)
