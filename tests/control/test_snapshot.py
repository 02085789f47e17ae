"""Snapshots: the whole state, or a tenant's, as one JSON document, and back with the same answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api import BASE, Api, emulator

SECOND = "lk_second_tenant"
TRAINING = """
import torch
model = torch.nn.Linear(2, 1)
for epoch in range(3):
    loss = model(torch.rand(2).cuda()).sum()
    loss.backward()
"""
ALTERNATIVES = """
summary: Fails, then completes; one of two ways.
timeline: [{running: 9s}, completed]
sequence:
  - timeline: [{running: 20s..40s}, {failed: {return_code: 3, error: "no luck"}}]
    variants: [{name: slow, shutdown: 3s}, {name: fast}]
  - {timeline: [{running: 5s}, completed]}
faults:
  - {operation: get_execution_timing, fault: unavailable, times: 1}
"""


def reads(api: Api) -> Iterator[tuple[str, int, str]]:
    """Everything that a tenant can read of the emulated service, and of what stands behind it."""
    runs = api.control("GET", "/runs?limit=1000")
    yield "runs", 200, json.dumps(runs)
    paths = ["/workloads/list", "/billing/history", "/logs/user", "/environment-variables/", "/user/org"]
    for run in runs["runs"]:
        execution_id = run["execution_id"]
        paths += [
            f"/execution/{execution_id}",
            f"/execution/{execution_id}/metrics?step=30s",
            f"/logs/execution/{execution_id}",
            f"/execution/streaming/{execution_id}/status",
        ]
    for path in paths:
        answer = api.get(path)
        yield path, answer.status_code, answer.text
    for path in ("/queue", "/clock", "/scenarios", "/faults"):
        yield path, 200, json.dumps(api.control("GET", path))


def filled() -> Api:
    """An emulator in which something of everything happened, for two tenants."""
    api = emulator(seed=5)
    api.control_text("PUT", "/scenarios/own", ALTERNATIVES)
    api.post("/environment-variables/", {"environment_variables": [{"name": "HF_TOKEN", "value": "secret"}]})
    for scenario in ("own", "own", "train-healthy", "notebook", "selection-partial"):
        body: dict[str, Any] = {"code": "import torch", "execution_type": "gpu.h100", "labels": ["a"]}
        if scenario == "selection-partial":
            answer = api.post(
                "/execution/gpu_selection/start", {"code": TRAINING}, headers={"X-Emulator-Scenario": scenario}
            )
            assert answer.status_code == 200, answer.text
        else:
            api.start(scenario, **body)
        api.advance(by="13s")
    launched = {"docker_image_ref": "jupyter/base-notebook", "job_type": "customer_notebook", "timeout": 60}
    assert api.post("/execution/image/start", launched).status_code == 200
    notebook = api.control("GET", "/runs")["runs"][-4]["execution_id"]
    api.post(f"/workloads/stop/{notebook}")
    api.control("POST", "/queue", {"scenario": "own", "times": 2, "match": {"file_name": "a*.py", "labels": ["x"]}})
    api.control_text("POST", "/faults", "{operation: abort_workload, fault: rate-limited, skip: 1000}")
    second = api.as_caller(SECOND)
    second.start("oom", run_name="nightly", metadata={"team": "vision"})
    second.advance(by="3m")
    return api


def test_a_restored_server_answers_every_read_as_before() -> None:
    api = filled()
    taken = api.as_caller(None).control("GET", "/snapshot")
    before = [list(reads(each)) for each in (api, api.as_caller(SECOND))]
    for anew in (api, emulator()):
        anew.as_caller(None).control("POST", "/reset")
        done = anew.as_caller(None).control("PUT", "/snapshot", taken)
        assert done["tenants_restored"] == 2
        assert [list(reads(each)) for each in (anew, anew.as_caller(SECOND))] == before
        assert anew.as_caller(None).control("GET", "/snapshot") == taken


def test_a_restored_server_goes_on_as_the_first_one_does() -> None:
    api = filled()
    taken = api.as_caller(None).control("GET", "/snapshot")
    other = emulator()
    other.as_caller(None).control("PUT", "/snapshot", taken)
    ends = []
    for each in (api, other):
        each.start("own", code="1")
        each.advance(by="10m")
        first = each.control("GET", "/runs?limit=1000")["runs"][-1]["execution_id"]
        ends.append([list(reads(each)), each.get(f"/execution/{first}/timing").text])
    assert ends[0] == ends[1]


def test_a_tenant_is_restored_and_the_others_stay() -> None:
    api = filled()
    second = api.as_caller(SECOND)
    taken = api.control("GET", "/snapshot")
    before, of_second = list(reads(api)), list(reads(second))
    api.advance(by="1h")
    api.start("oom")
    api.control("PUT", "/snapshot", taken)
    assert list(reads(api)) == before
    assert list(reads(second)) == of_second


def test_the_snapshot_of_another_tenant_is_refused_and_wipes_nothing() -> None:
    api = filled()
    second = api.as_caller(SECOND)
    taken = api.control("GET", "/snapshot")
    before = list(reads(second))
    api.control("POST", "/reset")  # the runs are nobody's now, and would be free to take
    answer = second.request("PUT", "/_emulator/snapshot", json=taken)
    (key,) = taken["tenants"]
    assert answer.status_code == 409
    assert f"another tenant's (tenants.{key[:8]}" in answer.json()["detail"]
    assert list(reads(second)) == before


def test_runs_of_somebody_else_are_not_taken_over() -> None:
    api = filled()
    second = api.as_caller(SECOND)
    taken, own = api.control("GET", "/snapshot"), second.control("GET", "/snapshot")
    (state,), (own_key,) = taken["tenants"].values(), own["tenants"]
    answer = second.request("PUT", "/_emulator/snapshot", json=taken | {"tenants": {own_key: state}})
    assert answer.status_code == 409
    assert "is there already, and is another tenant's" in answer.json()["detail"]


def test_a_snapshot_holds_no_values_of_variables_and_no_tokens() -> None:
    api = filled()
    text = json.dumps(api.as_caller(None).control("GET", "/snapshot"))
    assert "HF_TOKEN" in text
    assert '"secret"' not in text
    assert api.key is not None
    assert api.key not in text


def without_scenarios(document: dict[str, Any]) -> None:
    document["scenarios"] = {}


def with_a_broken_scenario(document: dict[str, Any]) -> None:
    next(iter(document["scenarios"].values()))[0]["text"] = "timeline: soon"


def with_a_run_twice(document: dict[str, Any]) -> None:
    runs = next(iter(document["tenants"].values()))["runs"]
    runs.append(runs[0])


def with_a_strange_default(document: dict[str, Any]) -> None:
    document["server"]["default_scenario"] = "nowhere"


def with_a_broken_fault(document: dict[str, Any]) -> None:
    document["server"]["faults"]["in_force"] = [
        {
            "name": "fault-1",
            "fault": {"fault": "nonsense"},
            "since": "2026-01-01T00:00:00Z",
            "seed": 1,
            "met": 0,
            "hit": 0,
        }
    ]


def without_a_child(document: dict[str, Any]) -> None:
    for tenant in document["tenants"].values():
        for run in tenant["runs"]:
            run["children"] = {}


def beyond_time(document: dict[str, Any]) -> None:
    document["server"]["clock"]["now"] = "2150-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (without_scenarios, "names a scenario that it does not hold"),
        (with_a_broken_scenario, "cannot be read by this version"),
        (with_a_run_twice, "two runs with one id"),
        (with_a_strange_default, "default scenario `nowhere` does not exist"),
        (with_a_broken_fault, "server.faults.in_force[0]: "),
        (without_a_child, "not those that this version starts"),
        (beyond_time, "where a time from 1970 to 2100 belongs"),
    ],
)
def test_a_snapshot_that_cannot_be_restored_is_refused_and_changes_nothing(damage: Any, told: str) -> None:
    api = filled()
    before = list(reads(api))
    document = copy.deepcopy(api.as_caller(None).control("GET", "/snapshot"))
    damage(document)
    answer = api.as_caller(None).request("PUT", "/_emulator/snapshot", json=document)
    assert answer.status_code == 409, answer.text
    assert told in answer.json()["detail"]
    assert list(reads(api)) == before


def test_a_tenants_snapshot_is_not_a_servers() -> None:
    api = filled()
    taken = api.control("GET", "/snapshot")
    answer = api.as_caller(None).request("PUT", "/_emulator/snapshot", json=taken)
    assert (answer.status_code, "one tenant" in answer.json()["detail"]) == (409, True)


@settings(max_examples=15)
@given(st.data())
def test_any_moment_can_be_put_back(data: st.DataObject) -> None:
    api = emulator(seed=data.draw(st.integers(0, 9)))
    for _ in range(data.draw(st.integers(0, 8))):
        match data.draw(st.sampled_from(["start", "advance", "abort", "delete"])):
            case "start":
                api.start(data.draw(st.sampled_from(["completed", "failed", "notebook", "oom", "flaky-api"])))
            case "advance":
                api.advance(by=data.draw(st.sampled_from(["1s", "40s", "10m"])))
            case order:
                for run in api.control("GET", "/runs")["runs"][:1]:
                    path = f"/workloads/abort/{run['execution_id']}"
                    if order == "abort":
                        api.post(path)
                    else:
                        api.request("DELETE", f"{BASE}/execution/{run['execution_id']}")
    taken = api.control("GET", "/snapshot")
    before = list(reads(api))
    api.start()
    api.advance(by="1h")
    api.control("PUT", "/snapshot", taken)
    assert list(reads(api)) == before


def test_what_came_since_a_servers_snapshot_is_gone_once_that_is_restored() -> None:
    server = emulator().as_caller(None)
    server.control_text("PUT", "/scenarios/early", "timeline: [{running: 3s}, completed]\n")
    taken = server.control("GET", "/snapshot")
    server.control_text("PUT", "/scenarios/late", "timeline: [{running: 3s}, completed]\n")
    server.control("PUT", "/snapshot", taken)
    names = {scenario["name"] for scenario in server.control("GET", "/scenarios")["scenarios"]}
    assert names & {"early", "late"} == {"early"}


def test_a_reset_takes_a_restored_default_scenario_back() -> None:
    api = emulator()
    server = api.as_caller(None)
    taken = server.control("GET", "/snapshot")
    taken["server"]["default_scenario"] = "oom"
    server.control("PUT", "/snapshot", taken)
    assert api.control("GET", f"/runs/{api.start()}")["scenario"] == "oom"
    server.control("POST", "/reset")
    assert api.control("GET", f"/runs/{api.start()}")["scenario"] == "completed"
