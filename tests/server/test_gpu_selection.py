"""GPU selection over HTTP: what a client sees from the start to the recommendation, and what it may order."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.scenario.code_check import CPU_ONLY, NO_FRAMEWORK, NO_MODEL, NO_TRAINING_LOOP
from tests.api import Api, emulator

TRAINING = """\
import torch
model = torch.nn.Linear(8, 8).cuda()
model(torch.randn(4, 8, device="cuda")).sum().backward()
"""
LISTED = ["t4", "l40s", "a100", "a100.40gb", "a100.80gb", "h100", "h200", "b200", "rtx6000pro"]
OURS = """\
timeline: [{pending: 2s}, {starting: 8s}, {running: 10s}]
output: [{at: 5s, text: "half way\\n"}]
metrics: [{phase: first, for: 5s, shape: context}, {phase: train, shape: train-llm}]
selection:
  analysis: 1s
  extraction: 2s
  processing: 4s
  profiles:
    gpu.a100: {}
    gpu.h100: {speed: 2}
    gpu.t4: {timeline: [{pending: 2s}, {starting: 8s}, {running: 3s}, {failed: {return_code: 1, error: boom}}]}
    gpu.b200: {timeline: [{pending: 30s}, {system_failure: {error: "No capacity."}}]}
"""


@pytest.fixture
def api() -> Api:
    made = emulator()
    made.request("PUT", "/_emulator/scenarios/ours", content=OURS, headers={"Content-Type": "application/yaml"})
    return made


def start(api: Api, scenario: str | None = "ours", **body: Any) -> dict[str, Any]:
    headers = {"X-Emulator-Scenario": scenario} if scenario else {}
    answer = api.post("/execution/gpu_selection/start", {"code": TRAINING} | body, headers=headers)
    assert answer.status_code == 200, answer.text
    started: dict[str, Any] = answer.json()
    return started


def status(api: Api, execution_id: str) -> dict[str, Any]:
    answer = api.get(f"/execution/gpu_selection/{execution_id}/status")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def child(api: Api, execution_id: str, profile: str) -> str:
    (found,) = [job for job in status(api, execution_id)["sub_jobs"] if job["hardware_profile"] == profile]
    return str(found["execution_id"])


def test_the_start_answers_id_status_message_and_a_token_that_is_shown_nowhere_else(api: Api) -> None:
    started = start(api)
    assert started.keys() == {"execution_id", "status", "message", "callback_token"}
    assert (started["status"], started["message"]) == ("queued", "GPU selection started on 4 GPU profiles")
    token = started["callback_token"]
    assert len(token) == 51
    assert token != start(api)["callback_token"]
    api.advance(by="1h")
    shown = str(status(api, started["execution_id"])) + str(api.record(started["execution_id"]))
    assert token not in shown + str(api.control("GET", f"/runs/{started['execution_id']}"))


def test_the_status_goes_through_the_documented_words(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    seen = []
    for _ in range(40):
        record = api.record(execution_id)["status"]
        seen.append((status(api, execution_id)["status"], record))
        api.advance(by="1s")
    assert list(dict.fromkeys(seen)) == [
        ("queued", "pending"),
        ("initializing", "starting"),
        ("running", "running"),
        ("extracting", "running"),
        ("profiling", "running"),
        ("processing", "running"),
        ("completed", "completed"),
    ]
    assert [sum(word == each for each, _ in seen) for word in ("queued", "initializing", "running", "extracting")] == [
        *(2, 8, 1, 2),
    ]
    assert [word for word, _ in seen].index("processing") == 30
    assert [word for word, _ in seen].index("completed") == 34


def test_the_results_say_what_each_profile_took_and_which_to_take(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    api.advance(by="12s")
    assert status(api, execution_id)["metadata"] == {"profiling_results": []}
    api.advance(by="1s")
    body = status(api, execution_id)
    assert [result["profile"] for result in body["metadata"]["profiling_results"]] == ["gpu.t4"]
    assert body["metadata"].keys() == {"profiling_results", "extraction_result"}
    api.advance(by="21s")
    body = status(api, execution_id)
    assert (body["status"], body["system_errors"], body["errors"]) == ("completed", None, None)
    results = {result["profile"]: result for result in body["metadata"]["profiling_results"]}
    assert [(name, each["status"], each["execution_time"], each["cost"]) for name, each in results.items()] == [
        ("gpu.a100", "success", 10.0, round(10 * 1.59 / 3600, 6)),
        ("gpu.h100", "success", 5.0, round(5 * 2.79 / 3600, 6)),
        ("gpu.t4", "failed", 3.0, round(3 * 0.35 / 3600, 6)),
        ("gpu.b200", "failed", None, None),
    ]
    assert results["gpu.h100"]["runtime_report"] == {
        "estimated_per_epoch_time_s": 5.0,
        "train_iteration": {"train_iterations_per_second": 20.0},
    }
    chosen = body["metadata"]["selection_results"]
    assert [chosen[word] for word in ("best", "fastest", "cheapest")] == ["gpu.h100"] * 3
    assert chosen["metrics"]["gpu.a100"] == {
        "status": "OK",
        "time": 10.0,
        "htime": "10.00s",
        "cost": results["gpu.a100"]["cost"],
        "is_per_epoch": False,
    }
    assert chosen["metrics"]["gpu.b200"] == {
        "status": "FAILED",
        "time": None,
        "htime": None,
        "cost": None,
        "is_per_epoch": False,
    }


def test_the_memory_needs_decide_how_many_gpus_of_a_kind_there_have_to_be(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    api.advance(by="1m")
    memory = status(api, execution_id)["metadata"]["extraction_result"]["memory_config"]
    assert memory["memory_requirements"] == {
        "parameter_count": 1.3,
        "model_weights": 2.6,
        "gradients": 2.6,
        "optimizer_states": 15.6,
        "activations": 5.2,
    }
    found = {row["gpu_type"]: (row["per_gpu_vram_gb"], row["min_gpu_count"]) for row in memory["minimal_configs"]}
    assert found == {"gpu.a100": (80, 1), "gpu.h100": (80, 1), "gpu.t4": (15, 2), "gpu.b200": (179, 1)}
    used = [row["vram_utilization_percent"] for row in memory["minimal_configs"]]
    assert all(0 < percent <= 100 for percent in used)


def test_each_child_is_a_run_of_its_own_that_names_its_parent(api: Api) -> None:
    execution_id = start(api, timeout=300, file_name="train.py")["execution_id"]
    api.advance(by="1h")
    of_h100 = child(api, execution_id, "gpu.h100")
    record = api.record(of_h100)
    assert (record["parent_execution_id"], record["hardware_profile"], record["execution_type"]) == (
        execution_id,
        "gpu.h100",
        "python code",
    )
    assert (record["timeout"], record["file_name"], record["python_code"]) == (300, "train.py", TRAINING)
    assert record["stdout"] == "half way\n"
    timing = api.get(f"/execution/{of_h100}/timing").json()["timing"]
    assert (timing["queued"], timing["launchingContainer"], timing["executingJob"]) == (2, 8, 5)
    logs = api.get(f"/logs/execution/{of_h100}").json()["logs"]
    assert [(line["timestamp"][14:19], line["message"]) for line in logs] == [("00:12", "half way")]
    metrics = api.get(f"/execution/{of_h100}/metrics?step=1s").json()
    assert len(metrics["gpuPowerWatt"]) == 6
    assert api.record(execution_id)["parent_execution_id"] is None


def test_without_further_words_every_listed_gpu_is_tried_as_fast_as_it_is(api: Api) -> None:
    execution_id = start(api, "completed")["execution_id"]
    api.advance(by="1h")
    results = status(api, execution_id)["metadata"]["profiling_results"]
    assert [result["profile"] for result in results] == [f"gpu.{name}" for name in LISTED]
    seconds = {result["profile"]: result["execution_time"] for result in results}
    assert seconds["gpu.a100"] == 3.0
    assert [seconds[f"gpu.{name}"] for name in ("t4", "l40s", "h100", "b200")] == [27.273, 4.0, 1.364, 0.667]
    view = api.control("GET", f"/runs/{execution_id}")
    assert [(job["hardware_profile"], job["speed"]) for job in view["sub_jobs"]][:2] == [
        ("gpu.t4", 0.11),
        ("gpu.l40s", 0.75),
    ]
    of_t4 = api.control("GET", f"/runs/{view['sub_jobs'][0]['execution_id']}")
    assert (of_t4["parent_execution_id"], of_t4["speed"], of_t4["sub_jobs"]) == (execution_id, 0.11, [])
    assert len({api.control("GET", f"/runs/{job['execution_id']}")["seed"] for job in view["sub_jobs"]}) == 9


def test_the_history_has_all_runs_and_counts_nothing_twice(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    api.advance(by="1h")
    history = api.get("/billing/history").json()
    rows = history["executions"]
    assert [row["parent_execution_id"] for row in rows] == [None, *[execution_id] * 4]
    assert (rows[0]["execution_type"], rows[0]["billed"], rows[0]["errors_docker"]) == ("gpu selection", 0.0, None)
    assert 0 < history["total_credits_spent"] == pytest.approx(sum(row["billed"] for row in rows))
    assert status(api, execution_id)["billed"] == pytest.approx(history["total_credits_spent"])
    assert history["counts_by_status"] == {"completed": 3, "failed": 1, "system_failure": 1}


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("print('hello')", NO_FRAMEWORK),
        ("import torch\nmodel = torch.nn.Linear(1, 1)", CPU_ONLY),
        ("import torch\ntorch.zeros(1).cuda()", NO_MODEL),
        ("import torch\nmodel = torch.nn.Linear(1, 1).cuda()", NO_TRAINING_LOOP),
    ],
)
def test_code_that_will_not_do_fails_with_the_known_words_and_costs_nothing(api: Api, code: str, problem: str) -> None:
    started = start(api, "completed", code=code)
    assert started["message"] == "GPU selection started with a look at the code"
    api.advance(by="3s")
    assert status(api, started["execution_id"])["status"] == "running"
    api.advance(by="1s")
    body = status(api, started["execution_id"])
    assert (body["status"], body["system_errors"], body["sub_jobs"], body["billed"]) == ("failed", [problem], [], 0)
    assert body["metadata"] == {"profiling_results": []}
    record = api.record(started["execution_id"])
    assert (record["status"], record["system_errors"], record["return_code"]) == ("failed", [problem], 1)


def test_local_modules_are_looked_at_as_well(api: Api) -> None:
    files = '{"model.py": "import torch\\nnet = torch.nn.Linear(1, 1).cuda()\\nnet.weight.sum().backward()"}'
    started = start(api, "completed", code="import model", import_files=files)
    assert started["message"] == "GPU selection started on 9 GPU profiles"
    assert api.record(started["execution_id"])["local_imports"] == ["model.py"]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [("error: No model found", NO_MODEL), ("code_check: ignore", None), ("code_check: enforce", NO_FRAMEWORK)],
)
def test_a_scenario_scripts_the_error_or_switches_the_look_off(api: Api, keys: str, problem: str | None) -> None:
    text = f"timeline: [{{running: 1s}}]\nselection: {{{keys}}}"
    api.request("PUT", "/_emulator/scenarios/mine", content=text, headers={"Content-Type": "application/yaml"})
    execution_id = start(api, "mine", code="pass" if "error" not in keys else TRAINING)["execution_id"]
    api.advance(by="1h")
    body = status(api, execution_id)
    assert body["system_errors"] == (None if problem is None else [problem])
    assert body["status"] == ("completed" if problem is None else "failed")


def test_an_abort_of_the_parent_ends_every_child_and_an_abort_of_a_child_only_that(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    api.advance(by="11s")
    answer = api.post(f"/workloads/abort/{child(api, execution_id, 'gpu.a100')}")
    assert answer.json()["status"] == "aborted"
    jobs = {job["hardware_profile"]: job["status"] for job in status(api, execution_id)["sub_jobs"]}
    assert jobs == {"gpu.a100": "aborted", "gpu.h100": "running", "gpu.t4": "running", "gpu.b200": "pending"}
    assert status(api, execution_id)["status"] == "extracting"
    assert api.get("/workloads/list").json()[0]["execution_id"] == execution_id
    assert api.post(f"/workloads/abort/{execution_id}").json()["status"] == "aborted"
    body = status(api, execution_id)
    assert {job["status"] for job in body["sub_jobs"]} == {"aborted"}
    assert (body["status"], api.get("/workloads/list").json()) == ("aborted", [])
    assert [result["status"] for result in body["metadata"]["profiling_results"]] == ["aborted"] * 4
    assert api.post(f"/workloads/abort/{execution_id}").status_code == 409


def test_a_stop_lets_the_children_shut_down_and_is_told_as_an_abort(api: Api) -> None:
    """The client knows no word for a cancelled selection, and would ask on for an hour."""
    execution_id = start(api)["execution_id"]
    api.advance(by="11s")
    assert api.post(f"/workloads/stop/{execution_id}").json()["message"] == "Execution is stopping"
    jobs = {job["hardware_profile"]: job["status"] for job in status(api, execution_id)["sub_jobs"]}
    assert jobs == dict.fromkeys(("gpu.a100", "gpu.h100", "gpu.t4"), "completed") | {"gpu.b200": "cancelled"}
    api.advance(by="10s")
    body = status(api, execution_id)
    assert (body["status"], api.record(execution_id)["status"]) == ("aborted", "cancelled")
    assert {result["status"] for result in body["metadata"]["profiling_results"]} == {"aborted"}
    assert "selection_results" not in body["metadata"]


def test_a_forced_end_of_the_parent_ends_the_children_in_the_way_they_may(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    api.advance(by="11s")
    api.control("POST", f"/runs/{execution_id}/transition", {"to": "failed", "detail": "because"})
    jobs = {job["hardware_profile"]: job["status"] for job in status(api, execution_id)["sub_jobs"]}
    assert jobs == dict.fromkeys(("gpu.a100", "gpu.h100", "gpu.t4"), "failed") | {"gpu.b200": "aborted"}
    assert (status(api, execution_id)["status"], api.record(execution_id)["errors"]) == ("failed", "because")


def test_a_forced_step_of_the_parent_takes_its_children_along(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    for to in ("starting", "running"):
        api.control("POST", f"/runs/{execution_id}/transition", {"to": to})
        assert {job["status"] for job in status(api, execution_id)["sub_jobs"]} == {to}
        assert api.record(execution_id)["status"] == to


def test_marked_as_completed_a_selection_is_over_with_all_its_children(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    assert api.post(f"/execution/streaming/complete/{execution_id}").json()["status"] == "completed"
    assert {job["status"] for job in status(api, execution_id)["sub_jobs"]} == {"completed"}


def test_a_selection_is_deleted_as_a_whole_once_it_is_over(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    of_t4 = child(api, execution_id, "gpu.t4")
    assert api.request("DELETE", f"/api/v2/external/execution/{execution_id}").status_code == 409
    api.advance(by="1h")
    refused = api.request("DELETE", f"/api/v2/external/execution/{of_t4}")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"Execution belongs to the GPU selection {execution_id}; delete that one",
    )
    assert api.request("DELETE", f"/api/v2/external/execution/{execution_id}").status_code == 200
    assert [api.get(f"/execution/{each}").status_code for each in (execution_id, of_t4)] == [404, 404]
    assert api.get("/billing/history").json()["total_executions"] == 0


def test_only_a_selection_of_the_caller_has_a_selections_status(api: Api) -> None:
    started = start(api)["execution_id"]
    run = api.start()
    stranger = api.as_caller("lk_somebody_else")
    for caller, each in ((api, run), (api, child(api, started, "gpu.t4")), (api, "nonsense"), (stranger, started)):
        answer = caller.get(f"/execution/gpu_selection/{each}/status")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Execution not found"})


def test_the_parents_stream_is_silent_and_ends_with_it(api: Api) -> None:
    execution_id = start(api)["execution_id"]
    api.advance(by="1h")
    answer = api.http.post(f"/api/v1/stream/{execution_id}")
    assert answer.text == 'data: {"jobFinished": {"job": {"result": {"returnCode": 0}}}}\n\n'


def test_a_selection_is_one_submission_of_a_sequence(api: Api) -> None:
    text = "timeline: [{running: 1s}]\nsequence: [{timeline: [{running: 1s}, system_failure]}, {}]"
    api.request("PUT", "/_emulator/scenarios/twice", content=text, headers={"Content-Type": "application/yaml"})
    first, second = (start(api, "twice")["execution_id"] for _ in range(2))
    api.advance(by="1h")
    assert [status(api, each)["status"] for each in (first, second)] == ["system_failure", "completed"]
    assert {job["status"] for job in status(api, first)["sub_jobs"]} == {"system_failure"}
    assert status(api, first)["system_errors"] == ["no profile succeeded; gpu.t4 was lost"]


@pytest.mark.parametrize(
    ("scenario", "ends", "counts"),
    [
        ("selection-healthy", "completed", {"success": 9}),
        ("selection-partial", "completed", {"success": 3, "failed": 2}),
        ("selection-all-fail", "failed", {"failed": 9}),
        ("selection-slow-queue", "completed", {"success": 5}),
    ],
)
def test_the_built_in_scenarios_end_as_they_say(api: Api, scenario: str, ends: str, counts: dict[str, int]) -> None:
    execution_id = start(api, scenario)["execution_id"]
    api.advance(by="2h")
    body = status(api, execution_id)
    found = [result["status"] for result in body["metadata"]["profiling_results"]]
    assert (body["status"], {word: found.count(word) for word in set(found)}) == (ends, counts)
    assert "extraction_result" in body["metadata"]
