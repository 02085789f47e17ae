"""Scenarios added while the server runs, and why a run did not get one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api, emulator

TWO_HOURS = "timeout: ignore\ntimeline: [{pending: 1s}, {running: 2h}, completed]\n"
BROKEN = "timeline:\n  - pending: 4\n  - runing: 1m\n"


def put(api: Api, name: str, text: str, media_type: str = "application/yaml") -> Any:
    return api.request("PUT", f"/_emulator/scenarios/{name}", content=text, headers={"Content-Type": media_type})


def scenario_of(api: Api, run_id: str) -> str:
    return str(api.control("GET", f"/runs/{run_id}")["scenario"])


def test_an_added_scenario_serves_its_tenant_and_nobody_else(api: Api) -> None:
    answer = put(api, "two-hours", TWO_HOURS)
    assert (answer.status_code, answer.json()["source"]) == (200, "control API")
    assert scenario_of(api, api.start("two-hours")) == "two-hours"
    assert api.control("GET", "/scenarios/two-hours")["text"] == TWO_HOURS
    other = api.as_caller("lk_some_other_key")
    assert other.request("GET", "/_emulator/scenarios/two-hours").status_code == 404


def test_one_added_to_the_server_serves_everybody_until_a_reset(api: Api) -> None:
    server = api.as_caller(None)
    assert put(server, "two-hours", TWO_HOURS).status_code == 200
    assert scenario_of(api, api.start("two-hours")) == "two-hours"
    assert "two-hours" in {row["name"] for row in api.control("GET", "/scenarios")["scenarios"]}
    server.control("POST", "/reset")
    assert api.request("GET", "/_emulator/scenarios/two-hours").status_code == 404


def test_json_is_read_as_well(api: Api) -> None:
    text = '{"match": {"file_name": "a*.py"}, "timeline": [{"running": "5s"}, "completed"]}'
    assert put(api, "mine", text, "application/json").status_code == 200
    assert scenario_of(api, api.start(file_name="abc.py")) == "mine"


def test_a_new_version_serves_later_submissions_and_runs_keep_theirs(api: Api) -> None:
    put(api, "mine", "timeline: [{running: 5s}, completed]")
    early = api.start("mine")
    put(api, "mine", "timeline: [{running: 50s}, {failed: {return_code: 3}}]")
    late = api.start("mine")
    api.advance(by="1h")
    assert [api.record(run_id)["return_code"] for run_id in (early, late)] == [0, 3]


@pytest.mark.parametrize("media_type", ["application/yaml", "application/json"])
def test_a_text_that_is_no_scenario_is_answered_with_every_problem_and_its_place(api: Api, media_type: str) -> None:
    answer = put(api, "mine", BROKEN, media_type)
    assert answer.status_code == 400
    problems = answer.json()["problems"]
    assert [(each["line"], each["column"], each["path"]) for each in problems] == [
        (2, 14, "timeline[0].pending"),
        (3, 5, "timeline[1]"),
    ]
    assert "`4s`" in problems[0]["message"]
    assert "`running`" in problems[1]["message"]
    assert answer.json()["detail"].startswith("mine:2:14: timeline[0].pending: ")
    assert api.request("GET", "/_emulator/scenarios/mine").status_code == 404


def test_a_name_has_to_be_one_and_must_not_be_that_of_a_file(api: Api) -> None:
    assert put(api, "Not%20A%20Name", TWO_HOURS).status_code == 400
    assert put(api, "oom", TWO_HOURS).status_code == 409
    assert api.request("DELETE", "/_emulator/scenarios/oom").status_code == 409
    assert api.control("GET", "/scenarios/oom")["source"] == "built-in"


def test_what_was_added_can_be_removed_once(api: Api) -> None:
    put(api, "mine", TWO_HOURS)
    assert api.control("DELETE", "/scenarios/mine") == {"name": "mine", "message": "Scenario removed"}
    assert api.request("DELETE", "/_emulator/scenarios/mine").status_code == 404
    server = api.as_caller(None)
    put(server, "mine", TWO_HOURS)
    assert server.request("DELETE", "/_emulator/scenarios/mine").status_code == 200
    assert server.request("DELETE", "/_emulator/scenarios/mine").status_code == 404


def test_another_media_type_is_refused(api: Api) -> None:
    assert put(api, "mine", TWO_HOURS, "text/html").status_code == 415


def test_when_nothing_matched_the_three_nearest_tell_what_kept_them_off(api: Api) -> None:
    for name, match in {
        "a-near": "{file_name: 'train-*.py', hardware: gpu.h100}",
        "b-nearer": "{file_name: 'train-*.py'}",
        "c-far": "{file_name: 'x', labels: [y], run_name: z}",
        "d-farther": "{file_name: 'x', labels: [y], run_name: z, code: w}",
    }.items():
        put(api, name, f"match: {match}\ntimeline: [{{running: 5s}}, completed]\n")
    chosen = api.control("GET", f"/runs/{api.start(file_name='eval.py', execution_type='gpu.h100')}")["chosen_by"]
    assert chosen["rule"] == "default"
    assert [miss["scenario"] for miss in chosen["near_misses"]] == ["a-near", "b-nearer", "c-far"]
    assert chosen["near_misses"][1]["failed"] == ["file_name: wants `train-*.py`, found `eval.py`"]


def test_a_queue_entry_that_did_not_fit_tells_why(api: Api) -> None:
    api.control("POST", "/queue", {"scenario": "oom", "match": {"kind": "docker"}})
    chosen = api.control("GET", f"/runs/{api.start('silent')}")["chosen_by"]
    assert chosen["rule"] == "name"
    assert chosen["near_misses"] == [{"scenario": "oom", "failed": ["kind: wants `docker`, found `python`"]}]


def test_a_scenario_whose_match_holds_is_taken_and_says_so() -> None:
    api = emulator()
    put(api, "mine", "match: {labels: ['night*']}\ntimeline: [{running: 5s}, completed]\n")
    chosen = api.control("GET", f"/runs/{api.start(labels=['x', 'nightly'])}")["chosen_by"]
    assert (chosen["rule"], chosen["near_misses"]) == ("match", [])


def test_no_more_scenarios_are_added_than_the_limit_allows(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.control.scenarios.MAX_ADDED", 2)
    for caller in (api, api.as_caller(None)):
        codes = [
            caller.request("PUT", f"/_emulator/scenarios/{name}", json={"timeline": [{"running": "1s"}]}).status_code
            for name in ("one", "two", "two", "three")
        ]
        assert codes == [200, 200, 200, 429]
