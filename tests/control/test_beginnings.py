"""`POST /_emulator/reset` with a clock and a seed, and `GET /_emulator/runs/{id}/metrics`."""

from __future__ import annotations

import pytest

from emulator.clock import ClockMode, ClockSettings
from tests.api import Api, emulator

SEVEN = {"seed": 7, "clock": {"mode": "manual"}}


def seed_and_stages(api: Api, execution_id: str) -> object:
    view = api.control("GET", f"/runs/{execution_id}")
    return view["seed"], view["script"]["stages"]


def test_a_tenant_begins_with_the_clock_it_is_given() -> None:
    api = emulator(clock=ClockSettings(ClockMode.REAL))
    wish = {"clock": {"mode": "per_request", "step": "2s", "now": "2020-05-05T00:00:00Z"}}
    assert api.control("POST", "/reset", wish) == {"status": "ok", "runs_removed": 0, "tenants_removed": 0}
    seen = api.control("GET", "/clock")
    assert (seen["mode"], seen["step"], seen["now"]) == ("per_request", "2s", "2020-05-05T00:00:00.000Z")
    assert seen["follows"] is None
    assert api.as_caller("lk_somebody_else").control("GET", "/clock")["mode"] == "real"


def test_the_next_reset_takes_clock_and_seed_back(api: Api) -> None:
    before = seed_and_stages(api, api.start("oom"))
    api.control("POST", "/reset", SEVEN)
    assert seed_and_stages(api, api.start("oom")) != before
    api.control("POST", "/reset")
    assert api.control("GET", "/clock")["follows"] == "server"
    assert seed_and_stages(api, api.start("oom")) == before


def test_tenants_with_one_seed_see_the_same_runs_under_ids_of_their_own(api: Api) -> None:
    other = api.as_caller("lk_somebody_else")
    ids, runs = [], []
    for each in (api, other):
        each.control("POST", "/reset", SEVEN)
        ids.append([each.start("oom"), each.start("oom")])
        runs.append([seed_and_stages(each, execution_id) for execution_id in ids[-1]])
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]
    assert not set(ids[0]) & set(ids[1])


def test_without_a_token_the_server_begins_anew(api: Api) -> None:
    server = api.as_caller(None)
    first = api.start("oom")
    seen = seed_and_stages(api, first)
    wish = {"seed": 8, "clock": {"mode": "manual", "now": "2030-01-01T00:00:00Z"}}
    assert server.control("POST", "/reset", wish)["tenants_removed"] == 1
    assert api.control("GET", "/clock")["now"] == "2030-01-01T00:00:00.000Z"
    second = api.start("oom")
    assert second != first
    assert seed_and_stages(api, second) != seen
    server.control("POST", "/reset")
    assert api.control("GET", "/clock")["now"] == "2026-01-01T00:00:00.000Z"
    assert api.start("oom") == first
    assert seed_and_stages(api, first) == seen


@pytest.mark.parametrize("now", ["1969-12-31T23:59:59Z", "2100-01-01T00:00:01Z"])
def test_a_clock_begins_within_the_years_it_knows(api: Api, now: str) -> None:
    execution_id = api.start()
    answer = api.request("POST", "/_emulator/reset", json={"clock": {"mode": "manual", "now": now}})
    told = "a clock begins between 1970-01-01T00:00:00.000Z and 2100-01-01T00:00:00.000Z"
    assert (answer.status_code, answer.json()) == (409, {"detail": told})
    assert api.record(execution_id)["status"] == "pending"


def test_metrics_are_those_that_the_service_gives_and_nobody_notices() -> None:
    api = emulator(clock=ClockSettings(ClockMode.PER_REQUEST, step_ms=60_000))
    execution_id = api.start("train-healthy")
    api.advance(execution_id=execution_id, until="running")
    api.advance(by="5m")
    before = api.control("GET", "/clock")["now"]
    asked = api.control("GET", "/requests")["total"]
    quiet = api.control("GET", f"/runs/{execution_id}/metrics?step=10s")
    assert api.control("GET", "/clock")["now"] == before
    assert api.control("GET", "/requests")["total"] == asked
    assert api.get(f"/execution/{execution_id}/metrics?step=10s").json() == quiet
    assert len(quiet["gpuPowerWatt"]) > 30


def test_metrics_of_a_run_need_no_token_and_are_not_for_another_tenant(api: Api) -> None:
    execution_id = api.start()
    api.advance(by="5s")
    whole = api.control("GET", f"/runs/{execution_id}/metrics?step=1s")
    assert api.as_caller(None).control("GET", f"/runs/{execution_id}/metrics?step=1s") == whole
    stranger = api.as_caller("lk_somebody_else")
    assert stranger.request("GET", f"/_emulator/runs/{execution_id}/metrics").status_code == 404
    backwards = "start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z"
    assert api.request("GET", f"/_emulator/runs/{execution_id}/metrics?{backwards}").status_code == 400
