"""The metrics query over HTTP: its window and its step, and what of them is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.document import load_document
from emulator.telemetry.window import MAX_STEPS, parse_step_ms
from emulator.times import format_instant, parse_instant_ms
from tests.api import Api

CONTRACT = load_document(Path(__file__).parents[2] / "openapi.yaml")
START_MS = parse_instant_ms("2026-01-01T00:00:00Z") or 0


def metrics(api: Api, run_id: str, **query: str) -> Any:
    return api.get(f"/execution/{run_id}/metrics", params=query)


def test_the_window_is_the_run_from_its_start_to_its_end(api: Api) -> None:
    run_id = api.start()
    api.advance(execution_id=run_id, until="terminal")
    api.advance(by="1h")
    record = api.record(run_id)
    body = metrics(api, run_id).json()
    assert body["timeRange"] == {"start": record["start_time"], "end": record["end_time"]}


def test_the_window_of_a_running_run_ends_now(api: Api) -> None:
    run_id = api.start("notebook")
    api.advance(execution_id=run_id, until="running")
    now = api.advance(by="90s")["now"]
    window = metrics(api, run_id).json()["timeRange"]
    assert window == {"start": api.record(run_id)["start_time"], "end": now}


def test_the_window_of_a_run_that_has_not_started_begins_with_the_submission(api: Api) -> None:
    run_id = api.start()
    now = api.advance(by="500ms")["now"]
    window = metrics(api, run_id).json()["timeRange"]
    assert window == {"start": api.record(run_id)["created_at"], "end": now}


def test_a_window_that_ends_before_it_starts_is_refused(api: Api) -> None:
    run_id = api.start()
    earlier, later = format_instant(START_MS), format_instant(START_MS + 1)
    answer = metrics(api, run_id, start=later, end=earlier)
    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "end timestamp must not be before start time"},
    )
    assert metrics(api, run_id, start=later, end=later).status_code == 200


@pytest.mark.parametrize(("step", "step_ms"), [("15s", 15_000), ("0.5", 500), ("1ms", 1), ("1h30m", 5_400_000)])
def test_a_window_may_have_11_000_steps_and_not_one_more(api: Api, step: str, step_ms: int) -> None:
    run_id = api.start()

    def answer(steps: int) -> Any:
        end = format_instant(START_MS + steps * step_ms)
        return metrics(api, run_id, start=format_instant(START_MS), end=end, step=step)

    assert MAX_STEPS == 11_000
    assert answer(11_000).status_code == 200
    refused = answer(11_001)
    detail = refused.json()["detail"]
    assert (refused.status_code, detail[:60]) == (400, "exceeded maximum resolution of 11,000 points per timeseries;")


@pytest.mark.parametrize("step", ["99999d99999h999999m999999s999999ms", "999999h", "999999.999999999999999999"])
def test_the_longest_steps_of_the_contract_are_accepted(api: Api, step: str) -> None:
    assert metrics(api, api.start(), step=step).status_code == 200


@given(st.from_regex(CONTRACT["components"]["schemas"]["Step"]["pattern"].replace("$", r"\Z")))
def test_every_step_that_the_contract_allows_can_be_read(step: str) -> None:
    assert parse_step_ms(step) is not None
