"""The rules behind the gate's own checks: each accepts what the emulator answers, and tells each way of breaking it."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest

from tests.api import Api, emulator
from tests.contract.consistency import Life, disagreement, disorder, out_of_time, statuses_in, stray_points

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def api() -> Api:
    return emulator()


@pytest.fixture(scope="module")
def execution_id(api: Api) -> str:
    run = api.start("failed")
    api.advance(execution_id=run, until="terminal")
    return run


@pytest.fixture
def record(api: Api, execution_id: str) -> dict[str, Any]:
    return api.record(execution_id)


# Statuses.


def missteps(*statuses: str) -> list[str]:
    life = Life()
    return [told for status in statuses for told in life.missteps("a-run", status)]


def test_a_run_may_stay_go_on_skip_and_end() -> None:
    assert missteps("pending", "pending", "starting", "running", "failed", "failed") == []
    assert missteps("pending", "running", "completed") == []
    assert missteps("pending", "aborted") == []


@pytest.mark.parametrize("statuses", list(pairwise(["running", "starting", "pending"])))
def test_a_run_never_goes_back(statuses: tuple[str, str]) -> None:
    before, after = statuses
    assert missteps(before, after) == [f"a-run was {before} and went back to {after}"]


def test_an_end_is_an_end() -> None:
    assert missteps("failed", "running") == ["a-run was failed, which is an end, and is running now"]
    assert missteps("failed", "completed") == ["a-run was failed, which is an end, and is completed now"]


def test_other_words_are_no_statuses() -> None:
    assert missteps("queued") == ["a-run is queued, which is no status of a run"]


def test_each_run_has_a_life_of_its_own_until_all_is_forgotten() -> None:
    life = Life()
    assert not list(life.missteps("one", "running"))
    assert not list(life.missteps("other", "pending"))
    life.forget()
    assert not list(life.missteps("one", "pending"))
    assert life.compared == 0


def test_statuses_are_found_in_runs_lists_and_rows() -> None:
    run = {"execution_id": "a", "status": "pending"}
    for body in (run, [run], {"executions": [run]}, {"runs": [run]}):
        assert list(statuses_in(body)) == [("a", "pending")]
    assert list(statuses_in({"executions": 5, "status": "ok"})) == []


# Instants.


def test_a_record_is_in_order(record: dict[str, Any]) -> None:
    assert list(disorder(record)) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"start_time": "2027-01-01T00:00:00Z", "job_start": "2027-01-01T00:00:00Z"}, "start_time 2027"),
        ({"job_end": None}, "job_end None is not end_time"),
        ({"finish_time": None}, "finish_time is None and status failed"),
        ({"status": "running"}, "finish_time is "),
        ({"status": "starting", "finish_time": None}, "the run is starting and has the start_time"),
        (
            {"status": "running", "finish_time": None, "start_time": None, "job_start": None},
            "the run is running and has no",
        ),
    ],
)
def test_disorder_in_a_record_is_told(record: dict[str, Any], changed: dict[str, Any], told: str) -> None:
    (first, *_) = disorder(record | changed)
    assert first.startswith(told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda timing: None, []),
        (lambda timing: timing["phases"]["queued"].update(duration=-1), ["queued took -1 seconds"]),
        (
            lambda timing: timing["phases"]["executingJob"].update(start_time="2026-01-01T00:00:00.500Z"),
            ["executingJob lasted ", "queued ends at ", "executingJob ends at "],
        ),
    ],
    ids=["as-it-is", "negative", "overlapping"],
)
def test_phases_follow_each_other(api: Api, execution_id: str, change: Change, told: list[str]) -> None:
    timing = api.get(f"/execution/{execution_id}/timing").json()["timing"]
    change(timing)
    found = list(out_of_time(timing))
    assert all(any(problem.startswith(one) for problem in found) for one in told), found
    assert bool(found) == bool(told)


# Metrics.


def shifted(metrics: dict[str, Any]) -> None:
    metrics["gpuPowerWatt"][0]["timestamp"] = metrics["gpuPowerWatt"][1]["timestamp"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda metrics: None, []),
        (lambda metrics: metrics["gpuPowerWatt"].reverse(), ["outside", "not sorted", "different instants"]),
        (shifted, ["gpuPowerWatt is not sorted by time", "different instants"]),
        (lambda metrics: metrics["timeRange"].update(end="2026-01-01T00:00:00Z"), ["the window goes", "outside"]),
    ],
    ids=["as-it-is", "reversed", "twice", "window"],
)
def test_points_are_sorted_and_in_their_window(api: Api, execution_id: str, change: Change, told: list[str]) -> None:
    metrics = api.get(f"/execution/{execution_id}/metrics?step=1s").json()
    assert len(metrics["gpuPowerWatt"]) > 2
    change(metrics)
    found = list(stray_points(metrics, {}))
    assert all(any(one in problem for problem in found) for one in told), found
    assert bool(found) == bool(told)


def test_the_window_is_the_one_asked_for(api: Api, execution_id: str) -> None:
    asked = {"start": "2026-01-01T00:00:04Z"}
    metrics = api.get(f"/execution/{execution_id}/metrics", params=asked).json()
    assert list(stray_points(metrics, asked)) == []
    (told,) = stray_points(metrics, {"start": "2026-01-01T00:00:05Z"})
    assert told.startswith("start was asked to be 2026-01-01T00:00:05Z and is ")


# Stream, record and logs.


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda told: None, ""),
        (lambda told: told["record"].update(combined_output="other"), "the stream says"),
        (lambda told: told["record"].update(return_code=0), "the stream ends with 1, and the record with 0"),
        (lambda told: told["record"].update(status="system_failure"), "the stream's end is"),
        (lambda told: told["record"].update(status="running"), "the stream has ended, and the record is running"),
        (lambda told: told["record"].update(stderr="other\n"), "8 lines of stderr in the logs, 1 in the record"),
        (lambda told: told["logs"].update(logs=told["logs"]["logs"][::-1]), "3 lines of stdout in the logs, 3"),
    ],
    ids=["as-it-is", "output", "code", "error", "status", "stderr", "order"],
)
def test_what_is_said_in_three_places_is_the_same(api: Api, execution_id: str, change: Change, told: str) -> None:
    stream = api.request("POST", f"/api/v1/stream/{execution_id}").text
    said = {
        "record": api.record(execution_id),
        "logs": api.get(f"/logs/execution/{execution_id}?hours=168&limit=10000").json(),
    }
    said = deepcopy(said)
    change(said)
    found = list(disagreement(stream, said["record"], said["logs"]))
    assert (found[:1] or [""])[0].startswith(told)
    assert bool(found) == bool(told), found


def test_a_stream_that_was_not_read_to_its_end_says_the_beginning(api: Api, execution_id: str) -> None:
    record = api.record(execution_id)
    logs = api.get(f"/logs/execution/{execution_id}?hours=168&limit=10000").json()
    begun = f"data: {json.dumps({'output': {'content': record['combined_output'][:5]}})}\n\n"
    assert list(disagreement(begun, record, logs)) == []
    other = f"data: {json.dumps({'output': {'content': 'other'}})}\n\n"
    assert len(list(disagreement(other, record, logs))) == 1
