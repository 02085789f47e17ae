"""The clock over HTTP: who moves it, who follows it, and what is refused."""

import pytest

from emulator.clock import ClockMode, ClockSettings
from tests.api import Api, emulator

START = "2026-01-01T00:00:00.000Z"


def test_the_clock_says_how_it_moves_and_whom_it_follows(api: Api) -> None:
    expected = {"mode": "manual", "now": START, "speed": 1.0, "step": "5s"}
    assert api.control("GET", "/clock") == expected | {"follows": "server"}
    assert api.as_caller(None).control("GET", "/clock") == expected | {"follows": None}
    assert api.control("GET", "/health")["clock"]["now"] == START


def test_moving_the_servers_clock_moves_all_who_follow_it(api: Api) -> None:
    server, other = api.as_caller(None), api.as_caller("lk_some_other_key")
    api.control("PATCH", "/clock", {"now": "2026-01-01T01:00:00Z"})
    server.advance(by="10m")
    assert api.control("GET", "/clock")["now"] == "2026-01-01T01:00:00.000Z"
    assert other.control("GET", "/clock")["now"] == "2026-01-01T00:10:00.000Z"
    assert api.control("GET", "/clock")["follows"] is None


def test_reading_with_a_new_key_does_not_open_a_tenant_but_setting_its_clock_does(api: Api) -> None:
    api.control("GET", "/clock")
    assert api.request("HEAD", "/_emulator/clock").status_code == 200
    assert api.as_caller(None).control("POST", "/reset")["tenants_removed"] == 0
    api.advance(by="1s")
    assert api.as_caller(None).control("POST", "/reset")["tenants_removed"] == 1
    assert api.control("GET", "/clock")["now"] == START


@pytest.mark.parametrize(
    ("wish", "now"),
    [
        ({"by": "1h30m"}, "2026-01-01T01:30:00.000Z"),
        ({"to": "2026-02-01T00:00:00Z"}, "2026-02-01T00:00:00.000Z"),
        ({"to": "2026-01-01T02:00:00+02:00"}, START),
    ],
)
def test_advance_answers_the_new_time(api: Api, wish: dict[str, str], now: str) -> None:
    assert api.advance(**wish)["now"] == now


@pytest.mark.parametrize(
    ("path", "body", "status_code"),
    [
        ("/clock/advance", {"to": "2025-12-31T23:59:59Z"}, 409),
        ("/clock/advance", {"to": "2100-01-01T00:00:01Z"}, 409),
        ("/clock/advance", {"by": "999999d"}, 409),
        ("/clock/advance", {"by": "5"}, 422),
        ("/clock/advance", {"by": "0s"}, 422),
        ("/clock/advance", {"by": "1s", "to": START}, 422),
        ("/clock/advance", {}, 422),
        ("/clock/advance", {"execution_id": "unknown", "until": "running"}, 404),
        ("/clock", {"now": "2025-01-01T00:00:00Z"}, 409),
        ("/clock", {"speed": 0}, 422),
        ("/clock", {"speed": 1e7}, 422),
        ("/clock", {"mode": "fast"}, 422),
        ("/clock", {"pace": 2}, 422),
        ("/clock", {}, 422),
    ],
)
def test_what_cannot_be_is_refused_and_moves_nothing(
    api: Api, path: str, body: dict[str, object], status_code: int
) -> None:
    method = "PATCH" if path == "/clock" else "POST"
    answer = api.request(method, f"/_emulator{path}", json=body)
    assert answer.status_code == status_code, answer.text
    assert api.control("GET", "/clock") == {
        "mode": "manual",
        "now": START,
        "speed": 1.0,
        "step": "5s",
        "follows": "server",
    }


def test_advance_until_a_status_stops_exactly_there(api: Api) -> None:
    run_id = api.start("slow-start")
    now = api.advance(execution_id=run_id, until="running")["now"]
    assert api.record(run_id)["start_time"] == now
    assert api.advance(execution_id=run_id, until="running")["now"] == now
    end = api.advance(execution_id=run_id, until="terminal")["now"]
    assert api.record(run_id)["finish_time"] == end


def test_a_status_that_cannot_come_is_a_conflict(api: Api) -> None:
    run_id = api.start("notebook", metadata={})
    api.advance(execution_id=run_id, until="running")
    for until in ("pending", "starting", "failed", "terminal"):
        answer = api.request("POST", "/_emulator/clock/advance", json={"execution_id": run_id, "until": until})
        assert answer.status_code == 409, until
        assert f"will not become {until}" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("scenario", "until", "reason"),
    [
        ("completed", "pending", "it is behind it"),
        ("completed", "failed", "it ends completed"),
        ("notebook", "terminal", "it goes on until it is stopped"),
    ],
)
def test_a_status_that_cannot_come_is_refused_with_the_reason(api: Api, scenario: str, until: str, reason: str) -> None:
    run_id = api.start(scenario)
    now = api.advance(execution_id=run_id, until="running")["now"]
    answer = api.request("POST", "/_emulator/clock/advance", json={"execution_id": run_id, "until": until})
    assert answer.status_code == 409
    assert answer.json() == {"detail": f"the run is running at {now} and will not become {until}: {reason}"}


@pytest.mark.parametrize("by", ["5", "5 minutes", "-5s", "0s", "soon"])
def test_what_is_no_duration_is_refused_with_the_form_that_one_has(api: Api, by: str) -> None:
    answer = api.request("POST", "/_emulator/clock/advance", json={"by": by})
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["msg"] == "Input should be a duration, such as 500ms, 5s, 1m30s or 2h"
    assert problem["loc"] == ["body", "by"]


def test_what_is_no_step_of_metrics_is_refused_with_the_form_that_one_has(api: Api) -> None:
    answer = api.request("GET", f"/_emulator/runs/{api.start()}/metrics?step=1x")
    (problem,) = answer.json()["detail"]
    assert problem["msg"] == "Input should be a duration, such as 500ms, 5s, 1m30s or 2h"


def test_without_a_token_advance_until_moves_the_clock_that_the_run_lives_by(api: Api) -> None:
    run_id = api.start()
    server = api.as_caller(None)
    server.advance(execution_id=run_id, until="running")
    assert api.record(run_id)["status"] == "running"
    assert api.control("GET", "/clock")["follows"] == "server"


def test_the_per_request_clock_steps_with_each_request_of_its_tenant_only() -> None:
    api = emulator(clock=ClockSettings(ClockMode.PER_REQUEST, step_ms=1000))
    other = api.as_caller("lk_some_other_key")
    run_id = api.start("silent")
    assert api.record(run_id)["created_at"] == START
    other.start()
    for _ in range(5):
        other.get("/workloads/list")
    # Two requests so far, and HEAD, OPTIONS, unknown paths, refused tokens and control calls take no step.
    api.request("HEAD", f"/api/v2/external/execution/{run_id}")
    api.request("OPTIONS", f"/api/v2/external/execution/{run_id}")
    api.get("/nowhere")
    api.as_caller("lk_bad").get("/user/org")
    assert api.control("GET", "/clock")["now"] == "2026-01-01T00:00:02.000Z"
    assert other.control("GET", "/clock")["now"] == "2026-01-01T00:00:06.000Z"


def test_a_request_that_is_refused_steps_the_clock_too() -> None:
    api = emulator(clock=ClockSettings(ClockMode.PER_REQUEST, step_ms=1000))
    api.start()
    for path, status_code in (("/execution/unknown", 404), ("/logs/user?limit=0", 422)):
        assert api.get(path).status_code == status_code
    assert api.control("GET", "/clock")["now"] == "2026-01-01T00:00:03.000Z"


def test_under_the_per_request_clock_a_stream_runs_to_its_end_and_takes_the_clock_along() -> None:
    api = emulator(clock=ClockSettings(ClockMode.PER_REQUEST))
    run_id = api.start("long-queue")
    answer = api.as_caller(None).request("POST", f"/api/v1/stream/{run_id}")
    assert '"returnCode": 0' in answer.text
    assert api.record(run_id)["status"] == "completed"


def test_a_clock_that_is_made_real_goes_on_from_where_it_was(api: Api) -> None:
    api.advance(by="1h")
    clock = api.control("PATCH", "/clock", {"mode": "real", "speed": 1000})
    assert (clock["mode"], clock["speed"]) == ("real", 1000.0)
    assert clock["now"] >= "2026-01-01T01:00:00.000Z"
    still = api.control("PATCH", "/clock", {"mode": "manual"})["now"]
    assert still >= clock["now"]
    assert api.control("GET", "/clock")["now"] == still


@pytest.mark.parametrize(
    ("wish", "loc", "kind"),
    [
        ({"by": "5"}, ["body", "by"], "string_pattern_mismatch"),
        ({"by": 5}, ["body", "by"], "string_type"),
        ({"execution_id": "x", "until": "finished"}, ["body", "until"], "enum"),
        ({"until": "running"}, ["body", "execution_id"], "missing"),
    ],
)
def test_a_wish_that_is_almost_right_is_told_what_is_wrong_with_it(
    api: Api, wish: dict[str, object], loc: list[str], kind: str
) -> None:
    answer = api.request("POST", "/_emulator/clock/advance", json=wish)
    (problem,) = answer.json()["detail"]
    assert (problem["loc"], problem["type"]) == (loc, kind)


@pytest.mark.parametrize(
    ("wish", "has"),
    [
        ({}, "none of them"),
        ({"by": "1s", "to": START}, "`by`, `to`"),
        ({"by": "5m", "execution_id": "x", "until": "running"}, "`by`, `execution_id`, `until`"),
    ],
)
def test_a_wish_that_mixes_what_does_not_go_together_is_told_what_does(
    api: Api, wish: dict[str, object], has: str
) -> None:
    answer = api.request("POST", "/_emulator/clock/advance", json=wish)
    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {
            "loc": ["body"],
            "msg": f"Input should have either `by`, or `to`, or `execution_id` with `until`; it has {has}",
            "type": "value_error",
        }
    ]


def test_a_page_of_another_site_cannot_use_the_control_api(api: Api) -> None:
    run_id = api.start()
    for origin in ("https://evil.example", "null"):
        answer = api.as_caller(None).http.post("/_emulator/reset", headers={"Origin": origin})
        assert answer.status_code == 401
    assert api.record(run_id)["status"] == "pending"
    own = api.as_caller(None).http.post("/_emulator/reset", headers={"Origin": "http://testserver"})
    assert own.status_code == 200
