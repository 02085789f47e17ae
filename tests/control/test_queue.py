"""The queue of scenarios laid ready."""

import pytest

from tests.api import Api


def test_a_queue_filled_before_the_first_run_serves_it(api: Api) -> None:
    api.control("POST", "/queue", {"scenario": "oom"})
    run = api.control("GET", f"/runs/{api.start()}")
    assert (run["scenario"], run["chosen_by"]["rule"]) == ("oom", "queue")


def test_an_entry_serves_as_often_as_it_says_and_the_next_comes_after_it(api: Api) -> None:
    api.control("POST", "/queue", {"scenario": "failed", "times": 2})
    queue = api.control("POST", "/queue", {"scenario": "silent"})
    assert [(entry["scenario"], entry["times"]) for entry in queue["queue"]] == [("failed", 2), ("silent", 1)]
    started = [api.control("GET", f"/runs/{api.start()}")["scenario"] for _ in range(4)]
    assert started == ["failed", "failed", "silent", "completed"]


def test_an_entry_that_does_not_fit_stays_for_a_later_submission(api: Api) -> None:
    match = {"file_name": "train-*.py", "labels": ["gpu-*"], "metadata": {"team": "vision"}}
    api.control("POST", "/queue", {"scenario": "oom", "match": match})
    other = api.start(file_name="eval.py")
    fitting = api.start(file_name="train-7.py", labels=["x", "gpu-a"], metadata={"team": "vision"})
    assert api.control("GET", f"/runs/{other}")["scenario"] == "completed"
    assert api.control("GET", f"/runs/{fitting}")["scenario"] == "oom"
    assert api.control("GET", "/queue") == {"queue": []}


def test_the_queue_shows_the_conditions_that_were_given(api: Api) -> None:
    match = {"kind": "python", "labels": ["a*"]}
    queue = api.control("POST", "/queue", {"scenario": "oom", "match": match})
    assert queue == {"queue": [{"scenario": "oom", "times": 1, "match": match}]}


def test_an_unknown_scenario_is_not_laid_ready_and_the_nearest_names_are_told(api: Api) -> None:
    answer = api.request("POST", "/_emulator/queue", json={"scenario": "ooom"})
    assert answer.status_code == 404
    assert "did you mean `oom`?" in answer.json()["detail"]
    assert api.control("GET", "/queue") == {"queue": []}


@pytest.mark.parametrize("times", [0, 1_000_001, 1.5, "2"])
def test_times_is_a_number_from_one_to_a_million(api: Api, times: object) -> None:
    answer = api.request("POST", "/_emulator/queue", json={"scenario": "oom", "times": times})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "times"]


def test_the_servers_queue_serves_every_tenant_after_its_own(api: Api) -> None:
    server = api.as_caller(None)
    server.control("POST", "/queue", {"scenario": "silent", "times": 2})
    api.control("POST", "/queue", {"scenario": "oom"})
    mine = [api.control("GET", f"/runs/{api.start()}")["scenario"] for _ in range(2)]
    other = api.as_caller("lk_another_tenant")
    theirs = [other.control("GET", f"/runs/{other.start()}")["scenario"] for _ in range(2)]
    assert (mine, theirs) == (["oom", "silent"], ["silent", "completed"])


def test_clearing_takes_what_is_left(api: Api) -> None:
    api.control("POST", "/queue", {"scenario": "oom"})
    assert api.control("DELETE", "/queue") == {"queue": []}
    assert api.control("GET", f"/runs/{api.start()}")["scenario"] == "completed"


def test_a_queue_holds_no_more_than_its_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.scenario.choice.MAX_QUEUED", 2)
    wish = {"scenario": "oom"}
    codes = [api.request("POST", "/_emulator/queue", json=wish).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
