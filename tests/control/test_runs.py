"""Runs from the inside: why they are as they are, and forcing them to be otherwise."""

import pytest

from emulator.server.settings import Settings
from tests.api import Api, emulator


def test_a_run_tells_its_scenario_script_and_history(api: Api) -> None:
    run_id = api.start("system-failure", execution_type="gpu.h100", file_name="a.py")
    api.advance(execution_id=run_id, until="terminal")
    run = api.control("GET", f"/runs/{run_id}")
    assert (run["scenario"], run["status"]) == ("system-failure", "system_failure")
    assert run["chosen_by"] == {
        "rule": "name",
        "detail": "named by header.X-Emulator-Scenario",
        "near_misses": [],
    }
    assert [step["status"] for step in run["transitions"]] == [
        "pending",
        "starting",
        "running",
        "system_failure",
    ]
    assert [stage["status"] for stage in run["script"]["stages"]] == ["pending", "starting", "running"]
    assert run["script"]["ending"]["status"] == "system_failure"
    assert run["submission"]["file_name"] == "a.py"
    assert run["org"] == api.get("/user/org").json()["slug"]


def test_a_run_tells_how_it_ended_and_what_it_wrote_last(api: Api) -> None:
    failed, aborted = api.start("failed"), api.start("train-healthy")
    api.advance(execution_id=failed, until="terminal")
    api.post(f"/workloads/abort/{aborted}")
    waiting = api.start()
    api.control("POST", f"/runs/{waiting}/transition", {"to": "system_failure", "detail": "No route to host"})
    first, second, third = (api.control("GET", f"/runs/{each}") for each in (failed, aborted, waiting))
    error = first["end"]["error"]
    assert error == api.record(failed)["errors"]
    assert first["end"] == {"at": first["transitions"][-1]["at"], "cause": "script", "return_code": 1, "error": error}
    assert first["last_output"] == api.record(failed)["combined_output"].splitlines()[-5:]
    assert (second["end"]["cause"], second["end"]["return_code"], second["end"]["error"]) == ("abort", 137, None)
    assert (third["end"]["cause"], third["end"]["error"]) == ("transition", "No route to host")
    assert api.control("GET", f"/runs/{api.start()}")["end"] is None


def test_the_server_sees_all_runs_and_a_tenant_its_own(api: Api) -> None:
    mine, theirs = api.start(), api.as_caller("lk_some_other_key").start()
    server = api.as_caller(None)
    assert {run["execution_id"] for run in server.control("GET", "/runs")["runs"]} == {mine, theirs}
    assert [run["execution_id"] for run in api.control("GET", "/runs")["runs"]] == [mine]
    assert server.control("GET", f"/runs/{theirs}")["execution_id"] == theirs
    assert api.request("GET", f"/_emulator/runs/{theirs}").status_code == 404


def test_runs_can_be_limited_and_asked_for_by_status(api: Api) -> None:
    ids = [api.start() for _ in range(3)]
    api.post(f"/workloads/abort/{ids[0]}")
    listed = api.control("GET", "/runs?limit=1")
    assert ([run["execution_id"] for run in listed["runs"]], listed["total"]) == ([ids[2]], 3)
    aborted = api.control("GET", "/runs?status=aborted&status=failed")
    assert [run["execution_id"] for run in aborted["runs"]] == [ids[0]]


def test_a_forced_transition_takes_the_run_off_its_script(api: Api) -> None:
    run_id = api.start("long-queue")
    api.control("POST", f"/runs/{run_id}/transition", {"to": "starting"})
    run = api.control("POST", f"/runs/{run_id}/transition", {"to": "system_failure", "detail": "the rack lost power"})
    assert (run["status"], [command["to"] for command in run["commands"]]) == (
        "system_failure",
        ["starting", "system_failure"],
    )
    record = api.record(run_id)
    assert (record["status"], record["system_errors"]) == ("system_failure", ["the rack lost power"])


@pytest.mark.parametrize(("to", "status_code"), [("running", 409), ("completed", 409), ("pending", 422), ("done", 422)])
def test_a_transition_that_the_lifecycle_forbids_is_refused(api: Api, to: str, status_code: int) -> None:
    run_id = api.start("long-queue")
    answer = api.request("POST", f"/_emulator/runs/{run_id}/transition", json={"to": to})
    assert answer.status_code == status_code
    assert api.control("GET", f"/runs/{run_id}")["commands"] == []


def test_a_tenants_reset_leaves_the_others_alone_and_begins_anew(api: Api) -> None:
    first = api.start()
    other = api.as_caller("lk_some_other_key")
    theirs = other.start()
    api.advance(by="1h")
    api.control("POST", "/queue", {"scenario": "oom"})
    assert api.control("POST", "/reset") == {"status": "ok", "runs_removed": 1, "tenants_removed": 0}
    assert api.control("GET", "/clock")["now"] == "2026-01-01T00:00:00.000Z"
    assert api.control("GET", "/queue") == {"queue": []}
    assert other.record(theirs)["status"] == "pending"
    assert api.start() == first


def test_the_servers_reset_removes_everything(api: Api) -> None:
    api.start()
    api.as_caller("lk_some_other_key").start()
    server = api.as_caller(None)
    server.advance(by="1h")
    assert server.control("POST", "/reset") == {"status": "ok", "runs_removed": 2, "tenants_removed": 2}
    assert server.control("GET", "/runs") == {"runs": [], "total": 0}
    assert server.control("GET", "/clock")["now"] == "2026-01-01T00:00:00.000Z"


def test_scenarios_can_be_listed_and_read(api: Api) -> None:
    listed = {row["name"]: row for row in api.control("GET", "/scenarios")["scenarios"]}
    assert listed["oom"]["source"] == "built-in"
    assert listed["oom"]["summary"]
    text = api.control("GET", "/scenarios/oom")["text"]
    assert "timeline:" in text
    assert api.request("GET", "/_emulator/scenarios/om").status_code == 404


def test_the_control_api_serves_its_own_contract(api: Api) -> None:
    answer = api.request("GET", "/_emulator/openapi.yaml")
    assert answer.headers["content-type"].startswith("application/yaml")
    assert answer.text.startswith("openapi: 3.1")


def test_a_control_token_guards_all_but_the_health() -> None:
    api = emulator(Settings(control_token="let-me-in")).as_caller(None)
    assert api.request("GET", "/_emulator/health").status_code == 200
    for headers in ({}, {"X-Emulator-Token": "wrong"}, {"X-Emulator-Token": "lét-me-in".encode()}):
        assert api.request("GET", "/_emulator/runs", headers=headers).status_code == 401
    assert api.request("POST", "/_emulator/reset").status_code == 401
    assert api.request("GET", "/_emulator/runs", headers={"X-Emulator-Token": "let-me-in"}).status_code == 200


def test_a_malformed_token_is_refused_rather_than_taken_for_none(api: Api) -> None:
    answer = api.as_caller("lk_bad").request("POST", "/_emulator/reset")
    assert answer.status_code == 401
