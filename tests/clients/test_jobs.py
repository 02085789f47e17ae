"""`lyceum jobs`, with and without `--json`; `lyceum workloads` of the oldest version."""

import pytest

from tests.clients.official import OfficialClient, Outcome, as_printed, table_in

UNKNOWN = "9d73319c-6f1c-4b4c-90e4-044244353ce4"
WITH_JOBS = pytest.mark.parametrize("version", ["1.2.2", "1.1.7"])
OLDEST = pytest.mark.parametrize("version", ["1.0.52"])


def endless_run(lyceum: OfficialClient) -> str:
    """The id of a run that has begun to print and goes on until it is ended."""
    execution_id = lyceum.start("image", "until-told", docker_image_ref="python:3.13")
    lyceum.wait_until(execution_id, "running")
    return execution_id


def queued_run(lyceum: OfficialClient) -> str:
    return lyceum.start("image", "waits-in-line", docker_image_ref="python:3.13")


def finished_run(lyceum: OfficialClient, scenario: str = "two-epochs", status: str = "completed") -> str:
    execution_id = lyceum.start("streaming", scenario, code="print(1)", file_name=f"{scenario}.py")
    lyceum.wait_until(execution_id, status)
    return execution_id


@WITH_JOBS
def test_jobs_list_shows_active_runs_newest_first(lyceum: OfficialClient) -> None:
    finished_run(lyceum)
    first, second = endless_run(lyceum), queued_run(lyceum)

    rows = lyceum.json("jobs", "list")
    assert [(row["execution_id"], row["status"]) for row in rows] == [(second, "pending"), (first, "running")]

    outcome = lyceum("jobs", "list")
    table = table_in(outcome.stdout)
    assert (outcome.exit_code, table.title) == (0, "Running Executions")
    assert table.rows == [
        [row["execution_id"], row["status"], "—", "gpu.l40s", as_printed(row["created_at"])] for row in rows
    ]


@WITH_JOBS
def test_jobs_list_without_active_runs_says_so(lyceum: OfficialClient) -> None:
    finished_run(lyceum)
    assert lyceum("jobs", "list") == Outcome(0, "No running executions found\n", "")
    assert lyceum.json("jobs", "list") == []


@WITH_JOBS
def test_jobs_history_shows_runs_in_every_state_newest_first(lyceum: OfficialClient) -> None:
    clean = finished_run(lyceum)
    failed = finished_run(lyceum, "exits-with-three", "failed")
    active = endless_run(lyceum)

    rows = lyceum.json("jobs", "history")
    assert [(row["execution_id"], row["status"], row["file_name"]) for row in rows] == [
        (active, "running", None),
        (failed, "failed", "exits-with-three.py"),
        (clean, "completed", "two-epochs.py"),
    ]

    outcome = lyceum("jobs", "history")
    table = table_in(outcome.stdout)
    assert (outcome.exit_code, table.title) == (0, "Execution History")
    assert table.rows == [
        [
            row["execution_id"],
            row["status"],
            row["file_name"] or "—",
            "gpu.l40s",
            as_printed(row["created_at"]),
        ]
        for row in rows
    ]


@OLDEST
def test_the_oldest_version_lists_and_aborts_runs(lyceum: OfficialClient) -> None:
    clean = finished_run(lyceum)
    active = endless_run(lyceum)

    assert [row[:2] for row in table_in(lyceum("workloads", "list").stdout).rows] == [[active, "running"]]
    assert lyceum("workloads", "abort", active).exit_code == 0
    assert [row[:3] for row in table_in(lyceum("workloads", "history").stdout).rows] == [
        [active, "aborted", ""],
        [clean, "completed", "two-epochs.py"],
    ]


@WITH_JOBS
def test_jobs_status_of_a_finished_run_shows_its_whole_record(lyceum: OfficialClient) -> None:
    execution_id = finished_run(lyceum, "exits-with-three", "failed")
    record = lyceum.json("jobs", "status", execution_id)
    assert record == lyceum.record(execution_id)
    assert record["created_at"] < record["job_start"] < record["job_end"]
    assert record["billed"] > 0
    assert lyceum("jobs", "status", execution_id) == Outcome(
        0,
        f"Execution {execution_id}\n"
        "\n"
        "  Status:      failed\n"
        "  File:        exits-with-three.py\n"
        "  Hardware:    gpu.l40s\n"
        "  Type:        python code\n"
        "  Return code: 3\n"
        f"  Billed:      ${record['billed']:.4f}\n"
        f"  Created:     {as_printed(record['created_at'])}\n"
        f"  Started:     {as_printed(record['job_start'])}\n"
        f"  Ended:       {as_printed(record['job_end'])}\n"
        "\n"
        f"Logs:    lyceum jobs logs {execution_id}\n"
        f"Metrics: lyceum jobs metrics {execution_id}\n",
        "",
    )


def test_jobs_status_of_a_system_failure_shows_its_cause(lyceum: OfficialClient) -> None:
    execution_id = finished_run(lyceum, "loses-its-gpu", "system_failure")
    lines = lyceum("jobs", "status", execution_id).stdout.split("\n")
    assert "  Status:      system_failure" in lines
    assert "  ✗ GPU 0 has fallen off the bus (Xid 79)" in lines
    assert [line for line in lines if "Return code" in line] == []


def test_jobs_status_of_a_queued_run_has_neither_start_nor_end(lyceum: OfficialClient) -> None:
    execution_id = queued_run(lyceum)
    record = lyceum.json("jobs", "status", execution_id)
    assert lyceum("jobs", "status", execution_id) == Outcome(
        0,
        f"Execution {execution_id}\n"
        "\n"
        "  Status:      pending\n"
        "  Hardware:    gpu.l40s\n"
        "  Type:        docker\n"
        "  Billed:      $0.0000\n"
        f"  Created:     {as_printed(record['created_at'])}\n"
        "\n"
        f"Logs:    lyceum jobs logs {execution_id}\n"
        f"Metrics: lyceum jobs metrics {execution_id}\n",
        "",
    )


@WITH_JOBS
def test_jobs_logs_shows_stdout_and_stderr_oldest_first(lyceum: OfficialClient) -> None:
    execution_id = finished_run(lyceum)
    answer = lyceum.json("jobs", "logs", execution_id)
    assert [entry["message"].rstrip("\n") for entry in answer["logs"]] == [
        "loading data",
        "epoch 1 loss 1.90",
        "epoch 2 loss 1.50",
        "epoch 3 loss 1.10",
        "warning: checkpoint not saved",
    ]
    assert answer["total"] == 5
    printed = "".join(f"{as_printed(entry['timestamp'])}  {entry['message'].rstrip()}\n" for entry in answer["logs"])
    assert lyceum("jobs", "logs", execution_id) == Outcome(0, f"{printed}\n5 entries\n", "")


def test_jobs_logs_with_a_limit_keeps_the_newest_lines(lyceum: OfficialClient) -> None:
    answer = lyceum.json("jobs", "logs", finished_run(lyceum), "--limit", "2")
    assert [entry["message"].rstrip("\n") for entry in answer["logs"]] == [
        "epoch 3 loss 1.10",
        "warning: checkpoint not saved",
    ]


def test_jobs_logs_beyond_the_documented_limit_are_refused(lyceum: OfficialClient) -> None:
    outcome = lyceum("jobs", "logs", finished_run(lyceum), "--limit", "10001")
    assert (outcome.exit_code, outcome.stdout.split("\n")[0]) == (1, "Error: HTTP 422")


def test_jobs_logs_of_a_silent_run_say_that_there_are_none(lyceum: OfficialClient) -> None:
    assert lyceum("jobs", "logs", finished_run(lyceum, "says-nothing")) == Outcome(
        0,
        "No logs found for this execution in the selected window.\n"
        "Try a larger window: lyceum jobs logs <id> --hours 168\n",
        "",
    )


@WITH_JOBS
def test_jobs_metrics_of_a_queued_run_are_empty(lyceum: OfficialClient) -> None:
    execution_id = queued_run(lyceum)
    answer = lyceum.json("jobs", "metrics", execution_id)
    assert answer.pop("executionId") == execution_id
    assert answer.pop("hostname") != ""
    assert answer.pop("timeRange")["start"] == lyceum.record(execution_id)["created_at"]
    assert answer == {
        "gpuUtilizationPercent": [],
        "gpuMemoryUtilizationPercent": [],
        "gpuTemperatureCelsius": [],
        "gpuPowerWatt": [],
        "gpuPowerLimitWatt": [],
        "gpuClockSmMhz": [],
        "gpuClockMemMhz": [],
        "gpuPcieThroughputRxBytesPerSec": [],
        "gpuPcieThroughputTxBytesPerSec": [],
        "systemRamTotalBytes": [],
        "systemRamUsedBytes": [],
        "systemCpuUsagePercent": [],
    }
    nothing = "No metrics recorded for this execution.\n"
    assert lyceum("jobs", "metrics", execution_id) == Outcome(0, nothing, "")


@WITH_JOBS
def test_jobs_abort_ends_an_active_run_once(lyceum: OfficialClient) -> None:
    execution_id = endless_run(lyceum)

    aborted = lyceum("jobs", "abort", execution_id)
    assert (aborted.exit_code, "abort" in aborted.stdout.lower()) == (0, True)
    record = lyceum.record(execution_id)
    assert (record["status"], record["return_code"]) == ("aborted", 137)

    again = lyceum("jobs", "abort", execution_id)
    first, detail, _ = again.stdout.split("\n")
    assert (again.exit_code, first) == (1, "Error: HTTP 409")
    assert "aborted" in detail
    assert lyceum.record(execution_id) == record


def test_jobs_abort_of_a_queued_run_leaves_it_never_started(lyceum: OfficialClient) -> None:
    execution_id = queued_run(lyceum)
    assert lyceum("jobs", "abort", execution_id).exit_code == 0
    record = lyceum.record(execution_id)
    assert (record["status"], record["start_time"], record["billed"]) == ("aborted", None, 0)


@pytest.mark.parametrize("verb", ["status", "logs", "metrics", "abort"])
def test_an_unknown_run_is_not_found(lyceum: OfficialClient, verb: str) -> None:
    outcome = lyceum("jobs", verb, UNKNOWN)
    first, detail, _ = outcome.stdout.split("\n")
    assert (outcome.exit_code, first) == (1, "Error: HTTP 404")
    assert detail not in ("", "Not Found")  # those are the words for an unknown route


@pytest.mark.parametrize("verb", ["status", "logs", "metrics", "abort"])
def test_another_accounts_run_is_not_found(lyceum: OfficialClient, verb: str) -> None:
    execution_id = endless_run(lyceum)
    lyceum("auth", "login", "--url", lyceum.url, "--api-key", f"{lyceum.key}-other")
    outcome = lyceum("jobs", verb, execution_id)
    assert (outcome.exit_code, outcome.stdout.split("\n")[0]) == (1, "Error: HTTP 404")
    assert lyceum.record(execution_id)["status"] == "running"  # asked with the first key
