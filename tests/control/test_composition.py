"""Composition from outside: what a run says of its alternatives, and how changes of a base reach later runs."""

from __future__ import annotations

from typing import Any

from tests.api import Api

LOST = "timeline: [{running: 1s}, system_failure]"
RETRY = f"timeline: [{{running: 3s}}]\nsequence: [{{{LOST}}}, {{{LOST}}}, {{}}]\n"
FLAKY = f"timeline: [{{running: 3s}}]\nvariants: [{{weight: 3}}, {{name: lost, {LOST}}}]\n"


def put(api: Api, name: str, text: str) -> Any:
    headers = {"Content-Type": "application/yaml"}
    return api.request("PUT", f"/_emulator/scenarios/{name}", content=text, headers=headers)


def composition(api: Api, run_id: str) -> Any:
    return api.control("GET", f"/runs/{run_id}")["composition"]


def end(api: Api, run_id: str) -> str:
    api.advance(execution_id=run_id, until="terminal")
    return str(api.record(run_id)["status"])


def test_a_plain_scenario_is_composed_of_nothing(api: Api) -> None:
    assert composition(api, api.start("oom")) == {"extends": [], "sequence": None, "variant": None}


def test_the_third_attempt_succeeds_and_a_reset_begins_anew(api: Api) -> None:
    put(api.as_caller(None), "retry", RETRY)
    for _ in range(2):
        runs = [api.start("retry") for _ in range(4)]
        assert [end(api, run) for run in runs] == ["system_failure", "system_failure", "completed", "completed"]
        assert [composition(api, run)["sequence"] for run in runs] == [
            {"entry": min(number, 3), "of": 3, "submission": number, "name": None} for number in (1, 2, 3, 4)
        ]
        api.control("POST", "/reset")


def test_every_tenant_counts_for_itself_and_every_scenario_apart(api: Api) -> None:
    put(api.as_caller(None), "retry", RETRY)
    put(api.as_caller(None), "again", "extends: retry")
    other = api.as_caller("lk_some_other_key")
    for caller, name in ((api, "retry"), (api, "again"), (other, "retry")):
        assert composition(caller, caller.start(name))["sequence"]["submission"] == 1
    assert composition(api, api.start("retry"))["sequence"]["submission"] == 2


def test_a_run_says_which_variant_its_seed_drew(api: Api) -> None:
    put(api, "flaky", FLAKY)
    runs = [api.start("flaky") for _ in range(40)]
    drawn = [composition(api, run)["variant"] for run in runs]
    healthy = {"variant": 1, "of": 2, "name": None, "weight": 3, "out_of": 4}
    lost = {"variant": 2, "of": 2, "name": "lost", "weight": 1, "out_of": 4}
    assert all(each in (healthy, lost) for each in drawn)
    assert 3 < drawn.count(lost) < 20
    ends = {"completed": healthy, "system_failure": lost}
    assert [ends[end(api, run)] for run in runs] == drawn


def test_a_change_of_the_base_reaches_later_runs_only(api: Api) -> None:
    put(api, "base", "timeline: [{running: 3s}, failed]")
    assert put(api, "mine", "extends: base").json()["text"] == "extends: base"
    before = api.start("mine")
    put(api, "base", "timeline: [{running: 3s}, cancelled]")
    after = api.start("mine")
    assert [end(api, run) for run in (before, after)] == ["failed", "cancelled"]
    assert composition(api, after)["extends"] == ["base"]


def test_a_tenants_base_does_not_change_what_others_extend(api: Api) -> None:
    server, other = api.as_caller(None), api.as_caller("lk_some_other_key")
    put(server, "base", "timeline: [{running: 3s}, failed]")
    put(server, "mine", "extends: base")
    put(api, "base", "timeline: [{running: 3s}, cancelled]")
    assert (end(api, api.start("mine")), end(other, other.start("mine"))) == ("cancelled", "failed")


def test_an_unknown_base_is_refused_with_its_place(api: Api) -> None:
    answer = put(api, "mine", "summary: Mine.\nextends: omo\n")
    assert (answer.status_code, answer.json()["problems"]) == (
        400,
        [
            {
                "message": "there is no scenario `omo`: did you mean `oom`?",
                "path": "extends",
                "line": 2,
                "column": 10,
            }
        ],
    )


def test_a_base_that_is_removed_leaves_the_last_version_in_force_and_is_told(api: Api) -> None:
    server = api.as_caller(None)
    put(server, "base", "timeline: [{running: 3s}, failed]")
    put(server, "mine", "extends: base")
    server.control("DELETE", "/scenarios/base")
    assert end(api, api.start("mine")) == "failed"
    problems = {row["name"]: row["problems"] for row in server.control("GET", "/scenarios")["scenarios"]}
    assert [problem["path"] for problem in problems["mine"]] == ["extends"]
    assert problems["oom"] == []
