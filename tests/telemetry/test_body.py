"""The bytes of the metrics answer are those that an ordinary encoder would give."""

from __future__ import annotations

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from emulator.scenario.pipeline import FaultKind, PipelineFault
from emulator.series_names import SERIES_NAMES
from emulator.telemetry.body import metrics_body
from emulator.telemetry.series import Series, sample
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Workload
from emulator.times import LATEST_MS, format_instant
from tests.telemetry.workloads import windows, workload, workloads


def plainly(sampled: dict[str, Series]) -> bytes:
    head = {"executionId": "id", "hostname": "host", "timeRange": {"start": "a", "end": "b"}}
    series = {
        name: [
            {"timestamp": format_instant(t_ms), "value": value}
            for t_ms, value in zip(series.times_ms.tolist(), series.values.tolist(), strict=True)
        ]
        for name, series in sampled.items()
    }
    return orjson.dumps(head | series)


@given(workloads(), windows())
def test_any_answer_is_what_orjson_gives_for_dicts(run: Workload, asked: Window) -> None:
    sampled = sample(run, asked, 10**14)
    assert metrics_body("id", "host", "a", "b", sampled) == plainly(sampled)


@given(
    st.lists(
        st.tuples(st.integers(0, LATEST_MS), st.one_of(st.floats(allow_nan=False, allow_infinity=False))),
        max_size=20,
    )
)
def test_any_instants_and_values(drawn: list[tuple[int, float]]) -> None:
    drawn.sort()
    times_ms = np.array([t_ms for t_ms, _ in drawn], dtype=np.int64)
    sampled = {
        "floats": Series(times_ms, np.array([value for _, value in drawn])),
        "integers": Series(times_ms, np.array([int(value) % 1000 for _, value in drawn], dtype=np.int64)),
    }
    assert metrics_body("id", "host", "a", "b", sampled) == plainly(sampled)


def test_series_with_gaps_keep_their_own_instants() -> None:
    fault = PipelineFault(kind=FaultKind.DROPPED, from_ms=2000, until_ms=4000, series=("gpuPowerWatt",))
    run = workload("train-llm", disturbances=(fault,))
    start_ms = run.origin_ms
    sampled = sample(run, Window(start_ms, start_ms + 5000, 1000), 10**14)
    assert metrics_body("id", "host", "a", "b", sampled) == plainly(sampled)
    assert len(sampled["gpuPowerWatt"]) == 4


def test_names_and_texts_are_escaped_once() -> None:
    body = orjson.loads(
        metrics_body(
            '"id"',
            "hö",
            "a",
            "b",
            sample(workload(exists_from_ms=None, running_from_ms=None), Window(0, 0, 1), 0),
        )
    )
    assert body["executionId"] == '"id"'
    assert body["hostname"] == "hö"
    assert list(body) == ["executionId", "hostname", "timeRange", *SERIES_NAMES]
