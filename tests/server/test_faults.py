"""What faults do to the answers of the emulated API, in process; at the socket: test_fault_sockets.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.clock import ClockMode, ClockSettings
from emulator.server.settings import Settings
from tests.api import Api, emulator

START = {"code": "pass"}


def fault(api: Api, **settings: Any) -> None:
    api.control("POST", "/faults", {name.rstrip("_"): value for name, value in settings.items()})


def put(api: Api, faults: list[dict[str, Any]], name: str = "flaky", **keys: Any) -> str:
    scenario = {"timeline": [{"running": "20s"}], "faults": faults} | keys
    scenario |= {"output": [{"every": "1s", "until": "9s", "text": "line {n}\n"}]}
    api.control("PUT", f"/scenarios/{name}", scenario)
    return name


def runs(api: Api) -> int:
    return int(api.control("GET", "/runs")["total"])


def last(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.control("GET", "/requests?limit=1")["requests"][0]
    return found


def lines(text: str) -> list[str]:
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
    return [event["output"]["content"].strip() for event in events if "output" in event]


def messages(api: Api, run_id: str) -> list[str]:
    return [line["message"] for line in api.get(f"/logs/execution/{run_id}").json()["logs"]]


# In place of the answer.


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [
        ("rate-limited", 429, "Too many requests"),
        ("no-capacity", 500, "The instance could not be provisioned right now. Please try again in a moment."),
        ("server-error", 500, "Internal Server Error"),
        ("expired-token", 401, "Token expired"),
    ],
)
def test_an_error_in_the_services_own_form(api: Api, name: str, status: int, detail: str) -> None:
    fault(api, fault=name)
    answer = api.get("/workloads/list")
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert answer.headers.get("retry-after") == ("1" if status == 429 else None)


@pytest.mark.parametrize(("name", "status"), [("bad-gateway", 502), ("unavailable", 503), ("gateway-timeout", 504)])
def test_a_page_of_what_stands_in_front_of_the_service(api: Api, name: str, status: int) -> None:
    fault(api, fault=name, retry_after="1500ms")
    answer = api.get("/workloads/list")
    assert (answer.status_code, answer.headers["content-type"], answer.headers["retry-after"]) == (
        status,
        "text/html",
        "2",
    )
    assert answer.text.startswith(f"<html>\n<head><title>{status} ")


def test_what_is_refused_has_no_effect_and_is_in_the_journal_all_the_same(api: Api) -> None:
    fault(api, fault="no-capacity", operation="start_*", times=1)
    assert api.post("/execution/streaming/start", START).status_code == 500
    assert runs(api) == 0
    seen = last(api)
    assert (seen["status_code"], seen["body"], seen["detail"]) == (500, START, None)
    assert seen["fault"] == "fault-1: no-capacity, answered 500"
    assert api.post("/execution/streaming/start", START).status_code == 200
    assert last(api)["fault"] is None


def test_what_is_handled_is_done_and_only_the_answer_is_lost(api: Api) -> None:
    fault(api, fault="gateway-timeout", operation="start_*", times=1, handled=True)
    assert api.post("/execution/streaming/start", START).status_code == 504
    assert runs(api) == 1
    assert last(api)["fault"] == "fault-1: gateway-timeout, answered 504, done all the same"


def test_a_malformed_request_is_refused_by_the_fault_and_told_as_malformed(api: Api) -> None:
    fault(api, fault="unavailable")
    assert api.post("/execution/streaming/start", {"timeout": "soon"}).status_code == 503
    assert "body.timeout: Input should be a valid integer" in last(api)["violations"]


def test_an_expired_token_leaves_alone_who_sends_none(api: Api) -> None:
    run_id = api.start()
    api.advance(execution_id=run_id, until="terminal")
    fault(api, fault="expired-token")
    assert api.as_caller(None).request("POST", f"/api/v1/stream/{run_id}").status_code == 200
    assert api.get("/workloads/list").status_code == 401


def test_an_answer_of_ones_own(api: Api) -> None:
    answer = {"status": 402, "headers": {"X-Reason": "credit", "content-type": "application/problem+json"}, "body": [1]}
    fault(api, path="/api/v2/external/logs/*", answer=answer)
    found = api.get("/logs/user")
    assert (found.status_code, found.json(), found.headers["x-reason"]) == (402, [1], "credit")
    assert found.headers["content-type"] == "application/problem+json"
    assert api.get("/workloads/list").status_code == 200


def test_a_fault_begins_and_ends_by_the_tenants_clock(api: Api) -> None:
    fault(api, fault="unavailable", from_="10s", until="20s")
    seen = []
    for _ in range(4):
        seen.append(api.get("/workloads/list").status_code)
        api.advance(by="7s")
    assert seen == [200, 200, 503, 200]


def test_a_refused_request_steps_the_clock_once_as_any_other() -> None:
    api = emulator(clock=ClockSettings(ClockMode.PER_REQUEST, step_ms=5_000))
    fault(api, fault="unavailable", until="12s")
    assert [api.get("/workloads/list").status_code for _ in range(5)] == [503, 503, 503, 200, 200]


def test_no_answer_by_fault_counts_as_a_breach_of_the_contract() -> None:
    api = emulator(Settings(self_check=True))
    for settings in ({"answer": {"status": 299, "body": "?"}}, {"fault": "malformed-json"}):
        api.control("DELETE", "/faults")
        fault(api, **settings)
        api.get("/workloads/list")
    assert api.control("GET", "/health")["self_check"] == {"breaches": 0, "last": []}


# On the way back.


def test_malformed_json_has_its_length_and_no_end(api: Api) -> None:
    whole = api.get("/workloads/list").content
    fault(api, fault="malformed-json")
    assert (whole, api.get("/workloads/list").content) == (b"[]", b"[,")


@pytest.mark.parametrize("name", ["reset", "truncated", "reset-in-body"])
def test_in_process_a_broken_connection_is_an_error_that_is_raised(api: Api, name: str) -> None:
    fault(api, fault=name, times=1)
    with pytest.raises(ConnectionResetError, match="in process there is none, so this is raised"):
        api.get("/workloads/list")
    assert api.get("/workloads/list").status_code == 200


def test_a_slow_body_is_whole(api: Api) -> None:
    whole = api.get("/machine-types").content
    fault(api, fault="slow-drip", over="60ms")
    assert api.get("/machine-types").content == whole


# A scenario's own faults.


def test_a_scenarios_faults_are_about_its_runs_and_counted_for_each(api: Api) -> None:
    name = put(api, [{"fault": "unavailable", "times": 1}])
    one, two, other = api.start(name), api.start(name), api.start("completed")
    paths = [f"/execution/{run_id}" for run_id in (one, one, two, two, other)]
    assert [api.get(path).status_code for path in paths] == [503, 200, 503, 200, 200]
    assert api.get("/workloads/list").status_code == 200
    (shown,) = api.control("GET", f"/runs/{one}")["faults"]
    assert (shown["id"], shown["fault"]) == ("flaky, faults[0]", {"fault": "unavailable", "times": 1})
    assert (shown["met"], shown["hits"], shown["left"]) == (1, 1, 0)
    assert api.control("GET", f"/runs/{other}")["faults"] == []
    assert [each["fault"] for each in api.control("GET", f"/requests?execution_id={two}")["requests"]] == [
        None,
        "flaky, faults[0]: unavailable, answered 503",
        None,
    ]


def test_a_scenarios_faults_hit_its_stream_without_a_token_and_no_stranger(api: Api) -> None:
    run_id = api.start(put(api, [{"fault": "unavailable"}]))
    assert api.as_caller(None).request("POST", f"/api/v1/stream/{run_id}").status_code == 503
    stranger = api.as_caller("lk_another_tenant")
    assert stranger.request("POST", f"/api/v1/stream/{run_id}").status_code == 404
    assert stranger.get(f"/execution/{run_id}").status_code == 404
    assert api.as_caller(None).get(f"/execution/{run_id}").status_code == 401


def test_a_scenarios_faults_count_from_the_submission(api: Api) -> None:
    name = put(api, [{"fault": "unavailable", "from": "10s", "until": "20s"}])
    api.advance(by="1h")
    run_id = api.start(name)
    seen = []
    for _ in range(3):
        seen.append(api.get(f"/execution/{run_id}").status_code)
        api.advance(by="10s")
    assert seen == [200, 503, 200]


def test_a_fault_while_the_run_is_running(api: Api) -> None:
    name = put(api, [{"fault": "unavailable", "while": "running"}], timeline=[{"pending": "5s"}, {"running": "20s"}])
    run_id = api.start(name)
    seen = []
    for _ in range(3):
        seen.append(api.get(f"/execution/{run_id}").status_code)
        api.advance(by="13s")
    assert seen == [200, 503, 200]


def test_the_faults_of_a_run_go_with_it(api: Api) -> None:
    run_id = api.start(put(api, [{"fault": "unavailable", "times": 1}]))
    api.advance(by="1h")
    assert api.request("DELETE", f"/api/v2/external/execution/{run_id}").status_code == 503
    assert api.request("DELETE", f"/api/v2/external/execution/{run_id}").status_code == 200
    assert api.get(f"/execution/{run_id}").status_code == 404


def test_a_draw_with_a_seed_hits_the_same_requests_of_every_run(api: Api) -> None:
    name = put(api, [{"fault": "unavailable", "probability": "50%", "seed": 3}])
    seen = []
    for _ in range(2):
        run_id = api.start(name)
        seen.append([api.get(f"/execution/{run_id}").status_code for _ in range(30)])
    assert seen[0] == seen[1]
    assert 5 < seen[0].count(503) < 25


def test_the_draws_of_a_server_with_the_same_seed_are_the_same() -> None:
    seen = []
    for _ in range(2):
        api = emulator(seed=5)
        fault(api, fault="unavailable", probability="50%")
        seen.append([api.get("/workloads/list").status_code for _ in range(30)])
    assert seen[0] == seen[1]
    assert 5 < seen[0].count(503) < 25


# Streams and logs.


def test_lines_come_twice(api: Api) -> None:
    run_id = api.start(put(api, [{"fault": "duplicate-lines"}]))
    api.advance(by="1h")
    expected = [f"line {n // 2 + 1}" for n in range(20)]
    text = api.request("POST", f"/api/v1/stream/{run_id}").text
    assert lines(text) == expected
    assert text.count("jobFinished") == 1
    assert messages(api, run_id) == expected
    assert api.get(f"/logs/execution/{run_id}").json()["total"] == 10


def test_lines_change_places_and_none_is_lost(api: Api) -> None:
    run_id = api.start(put(api, [{"fault": "out-of-order-lines"}]))
    api.advance(by="1h")
    expected = [f"line {n}" for n in (2, 1, 4, 3, 6, 5, 8, 7, 10, 9)]
    text = api.request("POST", f"/api/v1/stream/{run_id}").text
    assert lines(text) == expected
    assert "jobFinished" in text.split("\n\n")[-2]
    assert messages(api, run_id) == expected


def test_a_share_of_the_lines_is_hit_and_the_same_ones_with_the_same_seed(api: Api) -> None:
    name = put(api, [{"fault": "duplicate-lines", "share": "40%", "seed": 2}])
    seen = []
    for _ in range(2):
        run_id = api.start(name)
        api.advance(by="1h")
        seen.append(messages(api, run_id))
    assert seen[0] == seen[1]
    assert 10 < len(seen[0]) < 20


def test_logs_that_are_refused_have_no_lines_to_disturb(api: Api) -> None:
    fault(api, fault="duplicate-lines")
    assert api.get("/logs/execution/nobody").status_code == 404


def test_events_of_a_stream_have_no_end_after_those_that_are_spared(api: Api) -> None:
    run_id = api.start(put(api, []))
    api.advance(by="1h")
    whole = api.request("POST", f"/api/v1/stream/{run_id}").text
    fault(api, fault="stream-malformed", after_events=3)
    text = api.request("POST", f"/api/v1/stream/{run_id}").text
    events, spoilt = whole.split("\n\n")[:-1], text.split("\n\n")[:-1]
    assert len(events) == 11
    assert spoilt == [*events[:3], *(f"{event[:-1]}," for event in events[3:])]
    assert "jobFinished" in spoilt[-1]
    for event in spoilt[3:]:
        with pytest.raises(json.JSONDecodeError):
            json.loads(event.removeprefix("data: "))


def test_by_default_one_event_is_spared_and_with_none_the_first_is_bad(api: Api) -> None:
    run_id = api.start(put(api, []))
    api.advance(by="1h")
    for more, good in (({}, [True, False]), ({"after_events": 0}, [False, False])):
        api.control("DELETE", "/faults")
        fault(api, fault="stream-malformed", **more)
        text = api.request("POST", f"/api/v1/stream/{run_id}").text
        assert [event.endswith("}") for event in text.split("\n\n")[:2]] == good


def test_a_share_of_the_events_is_malformed_and_the_same_ones_with_the_same_seed(api: Api) -> None:
    name = put(api, [{"fault": "stream-malformed", "after_events": 2, "share": "40%", "seed": 2}])
    seen = []
    for _ in range(2):
        run_id = api.start(name)
        api.advance(by="1h")
        text = api.request("POST", f"/api/v1/stream/{run_id}").text
        seen.append([event.endswith(",") for event in text.split("\n\n")[:-1]])
    assert seen[0] == seen[1]
    assert seen[0][:2] == [False, False]
    assert 0 < sum(seen[0]) < 9


def test_a_stream_that_ends_early_ends_without_a_result(api: Api) -> None:
    run_id = api.start()
    api.advance(by="1h")
    fault(api, fault="stream-ended", after_events=2)
    text = api.request("POST", f"/api/v1/stream/{run_id}").text
    assert (len(lines(text)), "jobFinished" in text) == (2, False)
    assert api.request("HEAD", f"/api/v1/stream/{run_id}").status_code == 200
