"""The served series: which points there are, and that a value belongs to its instant alone."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.hardware.devices import DEVICES
from emulator.scenario.pipeline import FaultKind, PipelineFault
from emulator.series_names import GPU_SERIES, SERIES_NAMES, SYSTEM_SERIES
from emulator.telemetry.body import metrics_body
from emulator.telemetry.series import Series, sample
from emulator.telemetry.signals import signals
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Override, Workload
from tests.telemetry.workloads import (
    A100,
    FAR_MS,
    START_MS,
    every,
    lasting,
    window,
    windows,
    workload,
    workloads,
)

LATEST_MS = START_MS + 10**13


def points(sampled: dict[str, Series]) -> dict[str, dict[int, float]]:
    return {
        name: dict(zip(series.times_ms.tolist(), series.values.tolist(), strict=True))
        for name, series in sampled.items()
    }


@given(workloads(), windows(), st.data())
def test_narrowing_the_window_changes_no_value(run: Workload, asked: Window, data: st.DataObject) -> None:
    whole = points(sample(run, asked, LATEST_MS))
    steps = (asked.end_ms - asked.start_ms) // asked.step_ms
    first = data.draw(st.integers(0, steps))
    last = data.draw(st.integers(first, steps))
    start_ms = asked.start_ms + first * asked.step_ms
    end_ms = asked.start_ms + last * asked.step_ms
    part = points(sample(run, Window(start_ms, end_ms, asked.step_ms), LATEST_MS))
    assert part == {
        name: {t_ms: value for t_ms, value in series.items() if start_ms <= t_ms <= end_ms}
        for name, series in whole.items()
    }


@given(workloads(), windows(), st.integers(2, 7))
def test_coarsening_the_step_changes_no_value(run: Workload, asked: Window, times: int) -> None:
    fine = points(sample(run, asked, LATEST_MS))
    coarse = points(sample(run, replace(asked, step_ms=asked.step_ms * times), LATEST_MS))
    for name, series in coarse.items():
        assert series == {t_ms: fine[name][t_ms] for t_ms in series}
        assert len(series) == -(-len(fine[name]) // times) or "lost" in [p.shape.name for p in run.phases]


@given(workloads(), windows())
def test_how_many_instants_are_computed_at_once_changes_no_value(run: Workload, asked: Window) -> None:
    whole = points(sample(run, asked, LATEST_MS))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("emulator.telemetry.series._AT_ONCE", 7 * max(1, run.gpus))
        assert points(sample(run, asked, LATEST_MS)) == whole


@given(workloads(), windows(), st.integers(-(10**9), 10**9))
def test_the_date_of_a_run_changes_no_value(run: Workload, asked: Window, later_ms: int) -> None:
    moved = replace(
        run,
        exists_from_ms=(run.exists_from_ms or 0) + later_ms,
        running_from_ms=(run.running_from_ms or 0) + later_ms,
    )
    shifted = Window(asked.start_ms + later_ms, asked.end_ms + later_ms, asked.step_ms)
    here, there = sample(run, asked, LATEST_MS), sample(moved, shifted, LATEST_MS + later_ms)
    assert {n: s.values.tolist() for n, s in here.items()} == {n: s.values.tolist() for n, s in there.items()}


SCRIPT = """
import hashlib
from emulator.telemetry.body import metrics_body
from emulator.telemetry.series import sample
from tests.telemetry.workloads import A100, FAR_MS, lasting, window, workload
digest = hashlib.sha256()
for device in (A100, workload().device):
    run = workload(lasting("load-weights", 90), "train-llm", device=device, seed=99, gpus=4)
    for asked in (window(7000, 7000), window(3600, 15000), window(600, 1000, 86400)):
        digest.update(metrics_body("id", "host", "a", "b", sample(run, asked, FAR_MS)))
print(digest.hexdigest())
"""


def test_two_processes_give_the_same_bytes() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop()) == 65


def test_points_exist_as_long_as_the_machine() -> None:
    run = workload("eval", until_ms=START_MS + 10_000)
    sampled = sample(run, Window(START_MS - 3000, START_MS + 20_000, 2000), FAR_MS)
    for name in SERIES_NAMES:
        assert (sampled[name].times_ms - START_MS).tolist() == [1000, 3000, 5000, 7000, 9000]
    ended = sample(replace(run, until_ms=START_MS + 3000), Window(START_MS, START_MS + 9000, 1000), FAR_MS)
    assert (ended["gpuPowerWatt"].times_ms - START_MS).tolist() == [0, 1000, 2000, 3000]


def test_no_point_lies_in_the_future() -> None:
    sampled = sample(workload("eval"), window(60), START_MS + 4_999)
    assert {len(series) for series in sampled.values()} == {5}


def test_a_machine_idles_before_its_run() -> None:
    run = workload("eval", exists_from_ms=START_MS - 60_000)
    sampled = sample(run, window(119, start_s=-60), FAR_MS)
    assert set(sampled["gpuUtilizationPercent"].values[:60].tolist()) == {0}
    assert sampled["gpuUtilizationPercent"].values[60:].min() > 90
    assert set(sampled["gpuClockSmMhz"].values[:60].tolist()) == {345}


def test_a_run_that_never_had_a_machine_has_no_points() -> None:
    sampled = sample(workload(exists_from_ms=None, running_from_ms=None), window(60), FAR_MS)
    assert set(sampled) == set(SERIES_NAMES)
    assert not any(len(series) for series in sampled.values())


def test_a_cpu_machine_has_system_series_only() -> None:
    sampled = sample(workload("data-starved", device=None), window(59), FAR_MS)
    assert {name: len(sampled[name]) for name in SERIES_NAMES} == dict.fromkeys(GPU_SERIES, 0) | dict.fromkeys(
        SYSTEM_SERIES, 60
    )
    assert sampled["systemCpuUsagePercent"].values.mean() > 70


def test_only_power_has_fractions_and_they_are_tenths() -> None:
    sampled = sample(workload("train-vision", gpus=2), window(600), FAR_MS)
    for name, series in sampled.items():
        expected = np.float64 if name in ("gpuPowerWatt", "gpuPowerLimitWatt") else np.int64
        assert series.values.dtype == expected, name
    power = sampled["gpuPowerWatt"].values.tolist()
    assert power == [round(value, 1) for value in power]
    assert any(value != round(value) for value in power)


def test_several_gpus_are_means_and_sums() -> None:
    run = workload("train-llm", gpus=4)
    asked = window(600, 10_000, 60)
    gpus = signals(run).readings(every(10_000, 61, 60_000)).gpus
    assert gpus is not None
    sampled = sample(run, asked, FAR_MS)
    assert sampled["gpuPowerWatt"].values.tolist() == np.round(gpus.power_w.sum(axis=0), 1).tolist()
    assert sampled["gpuPowerLimitWatt"].values.tolist() == [2800.0] * 61
    celsius = np.rint(gpus.temperature_celsius.mean(axis=0)).tolist()
    assert sampled["gpuTemperatureCelsius"].values.tolist() == celsius
    assert np.ptp(gpus.temperature_celsius, axis=0).min() > 0.5


def test_memory_is_the_share_of_what_processes_can_have() -> None:
    run = workload(lasting("context", 60), lasting("oom", 240, Override("gpu_memory_percent", 55, 100)))
    memory = sample(run, window(60, 60_000, 60), FAR_MS) | sample(run, window(240, 60_000, 60), FAR_MS)
    assert memory["gpuMemoryUtilizationPercent"].values.tolist()[:4] == [55, 66, 78, 89]
    last = sample(run, window(0, 1000, 299.999), FAR_MS)
    assert last["gpuMemoryUtilizationPercent"].values.tolist() == [100]


def test_power_can_be_set_and_is_capped() -> None:
    run = workload(
        lasting("eval", 300, Override("power_percent", 50, 50)),
        lasting("eval", 300, Override("power_percent", 130, 130)),
    )
    sampled = sample(run, window(598, 1000, 1), FAR_MS)
    half, over = sampled["gpuPowerWatt"].values[5:290], sampled["gpuPowerWatt"].values[305:]
    assert abs(half.mean() / 350 - 1) < 0.04
    assert abs(np.median(over) - 700) <= 1
    assert sampled["gpuClockSmMhz"].values[305:].max() < 1980


def test_a_lower_limit_shows_in_limit_power_and_clock() -> None:
    run = workload(lasting("train-llm", 600, Override("power_limit_percent", 60, 60)))
    sampled = sample(run, window(500, 1000, 20), FAR_MS)
    assert set(sampled["gpuPowerLimitWatt"].values.tolist()) == {420.0}
    assert abs(np.median(sampled["gpuPowerWatt"].values) - 420) <= 1
    assert np.median(sampled["gpuClockSmMhz"].values) < 1980


def test_a_lost_gpu_leaves_the_system_series() -> None:
    sampled = sample(workload(lasting("eval", 30), "lost"), window(59), FAR_MS)
    for name in GPU_SERIES:
        assert (sampled[name].times_ms - START_MS).tolist() == list(range(0, 30_000, 1000))
    assert {len(sampled[name]) for name in SYSTEM_SERIES} == {60}


def test_keyframes_are_met_exactly() -> None:
    frames = (
        ("gpuTemperatureCelsius", ((0, 40.0), (120_000, 91.5))),
        ("systemRamUsedBytes", ((5_000, 12.25),)),
    )
    sampled = sample(workload("eval", keyframes=frames), window(180, 60_000), FAR_MS)
    assert sampled["gpuTemperatureCelsius"].values.tolist() == [40.0, 65.75, 91.5, 91.5]
    assert sampled["systemRamUsedBytes"].values.tolist() == [12.25] * 4
    untouched = sample(workload("eval"), window(180, 60_000), FAR_MS)
    assert points(untouched)["gpuPowerWatt"] == points(sampled)["gpuPowerWatt"]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(-1e9, 1e9)), min_size=1, unique_by=lambda f: f[0]))
def test_any_keyframe_is_met(frames: list[tuple[int, float]]) -> None:
    frames.sort()
    run = workload("eval", keyframes=(("gpuPowerWatt", tuple(frames)),))
    for at_ms, value in frames:
        assert sample(run, window(0, 1, at_ms / 1000), FAR_MS)["gpuPowerWatt"].values.tolist() == [value]


def faulty(kind: FaultKind, **changes: object) -> Workload:
    fault = PipelineFault(kind=kind, from_ms=10_000, until_ms=20_000)
    return workload("train-vision", disturbances=(replace(fault, **changes),))


HEALTHY = points(sample(workload("train-vision"), window(59), FAR_MS))


def test_a_dropped_series_is_not_there() -> None:
    sampled = points(sample(faulty(FaultKind.DROPPED, series=("gpuPowerWatt",)), window(59), FAR_MS))
    assert [t - START_MS for t in sampled["gpuPowerWatt"]] == [
        *range(0, 10_000, 1000),
        *range(20_000, 60_000, 1000),
    ]
    assert {**sampled, "gpuPowerWatt": None} == {**HEALTHY, "gpuPowerWatt": None}


def test_missing_samples_are_the_same_in_all_series() -> None:
    sampled = points(sample(faulty(FaultKind.MISSING, ratio=0.5, until_ms=None), window(59), FAR_MS))
    assert len({tuple(series) for series in sampled.values()}) == 1
    assert 20 <= len(sampled["gpuPowerWatt"]) <= 48
    assert sampled["gpuPowerWatt"].items() < HEALTHY["gpuPowerWatt"].items()


def test_a_frozen_exporter_repeats_itself() -> None:
    sampled = points(sample(faulty(FaultKind.FROZEN), window(59), FAR_MS))
    for name, series in sampled.items():
        expected = HEALTHY[name] | {START_MS + s * 1000: HEALTHY[name][START_MS + 10_000] for s in range(10, 20)}
        assert series == expected


def test_late_points_are_seen_later() -> None:
    run = faulty(FaultKind.LATE, delay_ms=30_000)
    now = points(sample(run, window(59), START_MS + 45_000))["gpuPowerWatt"]
    assert [(t - START_MS) // 1000 for t in now] == [*range(16), *range(20, 46)]
    assert points(sample(run, window(59), FAR_MS)) == HEALTHY


def test_an_old_run_costs_no_more_than_a_young_one() -> None:
    """The compiled timeline does not grow with age; so neither does what a window costs."""
    source = signals(workload("train-llm", device=A100))
    segments = len(source._axis.block)
    source.readings(every(15_000, 240, 10**12))
    assert segments == len(source._axis.block) < 1500


@pytest.mark.parametrize("device", sorted(DEVICES))
def test_thirty_years_on_values_are_still_fine_grained(device: str) -> None:
    run = workload("train-llm", device=DEVICES[device])
    sampled = sample(run, window(300, 1000, 9e8), START_MS + 10**13)
    power = sampled["gpuPowerWatt"].values
    assert len(set(power.tolist())) >= 3
    assert power.max() <= 1.15 * DEVICES[device].power_limit_w


def test_bodies_are_json_of_the_series() -> None:
    sampled = sample(workload("oom"), window(59), FAR_MS)
    body = metrics_body("id", "host", "a", "b", sampled)
    assert bytes(body).startswith(
        b'{"executionId":"id","hostname":"host","timeRange":{"start":"a","end":"b"},"gpuUtilizationPercent":'
        b'[{"timestamp":"2026-01-01T00:00:00.000Z","value":'
    )
