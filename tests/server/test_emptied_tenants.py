"""A tenant whose runs are all deleted, or that never had one, is a tenant like any other."""

from __future__ import annotations

from tests.api import Api


def delete_all(api: Api, *run_ids: str) -> None:
    for run_id in run_ids:
        api.advance(execution_id=run_id, until="terminal")
        assert api.request("DELETE", f"/api/v2/external/execution/{run_id}").status_code == 200


def test_a_run_after_the_last_was_deleted_is_new_and_stays(api: Api) -> None:
    first = api.start()
    delete_all(api, first)
    second = api.start()
    assert second != first
    assert api.record(second)["status"] == "pending"


def test_the_clock_goes_on_when_the_last_run_is_deleted(api: Api) -> None:
    delete_all(api, api.start())
    before = api.control("GET", "/clock")["now"]
    assert api.advance(by="1h")["now"] > before
    assert api.control("GET", "/clock")["now"] > before


def test_a_tenant_without_runs_sees_and_moves_nothing_of_others(api: Api) -> None:
    run_id = api.start()
    other = api.as_caller("lk_somebody_else")
    delete_all(other, other.start())
    assert other.control("GET", "/runs") == {"runs": [], "total": 0}
    assert other.request("GET", f"/_emulator/runs/{run_id}").status_code == 404
    assert other.request("POST", f"/api/v1/stream/{run_id}").status_code == 404
    other.control("POST", "/queue", {"scenario": "oom"})
    assert api.as_caller(None).control("GET", "/queue") == {"queue": []}
