"""What holds for the served series of every built-in scenario, on every device, with any seed, window and step."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.hardware.devices import DEVICES, Device
from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.library import Library
from emulator.series_names import SERIES_NAMES
from emulator.telemetry.board import boards
from emulator.telemetry.body import metrics_body
from emulator.telemetry.noise import Floats
from emulator.telemetry.plan import workload_of
from emulator.telemetry.series import Series, sample
from emulator.telemetry.signals import signals
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Workload
from tests.strategies import run_of, seeds
from tests.telemetry.workloads import devices, steps_ms

LIBRARY = Library.load(built_in=SCENARIO_DIRECTORY)
NAMES = sorted(scenario.name for scenario in LIBRARY.scenarios())
LATEST_MS = 10**14
LONGEST_MS = 7_200_000
PERCENTS = ("gpuUtilizationPercent", "gpuMemoryUtilizationPercent", "systemCpuUsagePercent")
TRAFFIC = ("gpuPcieThroughputRxBytesPerSec", "gpuPcieThroughputTxBytesPerSec")

each_scenario = pytest.mark.parametrize("name", NAMES)
some = settings(max_examples=settings().max_examples // 4)  # the names multiply them


def workload_on(device: Device, name: str, seed: int, gpus: int = 1) -> Workload:
    """What a real run of the scenario computes its telemetry from, moved to any device.

    Without faults of the pipeline: what holds of boards need not hold of an exporter that loses or repeats points.
    """
    run = run_of(LIBRARY.get(name), seed=seed)
    return replace(workload_of(run), device=device, gpus=gpus, disturbances=())


def whole(run: Workload, step_ms: int = 1000) -> Window:
    """From the start of running to its end, two hours at most."""
    first_ms = run.origin_ms
    last_ms = first_ms + LONGEST_MS if run.until_ms is None else min(run.until_ms, first_ms + LONGEST_MS)
    return Window(first_ms, last_ms, step_ms)


@st.composite
def windows(draw: st.DrawFn, run: Workload) -> Window:
    """Up to 80 points that touch the run, and may begin before it and end after it."""
    all_of_it = whole(run)
    step_ms = draw(steps_ms)
    first_ms = draw(st.integers(all_of_it.start_ms - 5_000, all_of_it.end_ms))
    return Window(first_ms, first_ms + step_ms * draw(st.integers(0, 79)), step_ms)


def check(run: Workload, sampled: dict[str, Series]) -> None:
    """Section by section, what the fields of one instant have to do with each other."""
    device = run.device
    assert device is not None
    values: dict[str, Floats] = {name: series.values for name, series in sampled.items()}
    for name, series in sampled.items():
        tenths = name in ("gpuPowerWatt", "gpuPowerLimitWatt")
        assert not len(series) or series.values.dtype == (np.float64 if tenths else np.int64), name
        assert np.all(np.diff(series.times_ms) > 0)
    for name in PERCENTS:
        assert np.all((values[name] >= 0) & (values[name] <= 100)), name
    assert np.all(values["systemRamUsedBytes"] % 4096 == 0)
    assert np.all((values["systemRamUsedBytes"] > 0) & (values["systemRamUsedBytes"] <= run.ram_bytes))
    assert np.all(values["systemRamTotalBytes"] == run.ram_bytes)
    limit_w = values["gpuPowerLimitWatt"]
    assert np.all((limit_w > 0) & (limit_w <= run.gpus * device.power_limit_w))
    assert np.all(values["gpuPowerWatt"] >= 0.9 * run.gpus * device.idle_w)
    for name, ceiling in zip(
        TRAFFIC, (device.pcie_rx_ceiling_bytes_per_s, device.pcie_tx_ceiling_bytes_per_s), strict=True
    ):
        assert np.all((values[name] > 0) & (values[name] <= run.gpus * ceiling)), name
    assert set(values["gpuClockMemMhz"].tolist()) <= {device.memory_idle_mhz, device.memory_max_mhz}
    assert np.all((values["gpuClockSmMhz"] >= device.sm_idle_mhz) & (values["gpuClockSmMhz"] <= device.sm_max_mhz))
    ambient = boards(device, run.seed, run.gpus).ambient_celsius.mean()
    assert np.all(values["gpuTemperatureCelsius"] >= np.floor(ambient))
    assert np.all(values["gpuTemperatureCelsius"] < device.shutdown_celsius)


@each_scenario
@some
@given(device=devices, seed=seeds, gpus=st.sampled_from([1, 1, 2, 8]), data=st.data())
def test_values_keep_to_their_bounds(name: str, device: Device, seed: int, gpus: int, data: st.DataObject) -> None:
    run = workload_on(device, name, seed, gpus)
    check(run, sample(run, data.draw(windows(run)), LATEST_MS))


@each_scenario
@pytest.mark.parametrize("device", sorted(DEVICES))
def test_one_gpu_obeys_its_limit_its_grid_and_its_heat(name: str, device: str) -> None:
    """Second by second over the whole run; temperatures are rounded, hence the degree beside the reference's three."""
    run = workload_on(DEVICES[device], name, seed=len(name))
    sampled = sample(run, whole(run), LATEST_MS)
    check(run, sampled)
    power_w, limit_w = sampled["gpuPowerWatt"].values, sampled["gpuPowerLimitWatt"].values
    if not len(power_w):
        return
    if DEVICES[device].instantaneous_power:
        assert np.quantile(power_w / limit_w, 0.99) <= 1.12
    else:
        assert np.all(power_w[1:] <= 1.03 * np.maximum(limit_w[1:], limit_w[:-1]))
    steps = np.ceil(sampled["gpuClockSmMhz"].values / DEVICES[device].clock_step_mhz)
    assert np.array_equal(np.trunc(steps * DEVICES[device].clock_step_mhz), sampled["gpuClockSmMhz"].values)
    if any(phase.override("airflow_percent") for phase in run.phases):
        return  # a fan that fails heats a board at the same power
    # Reported power lags by up to a second, and a momentary one misses what lies between: ask more often.
    fine = signals(run).readings(np.arange(-1000, 1000 * len(power_w) + 1001, 100))
    assert fine.gpus is not None
    heard_w = np.lib.stride_tricks.sliding_window_view(fine.gpus.power_w[0], 31)[::10]
    board = boards(DEVICES[device], run.seed, 1)
    allowed = 0.25 * board.resistance_k_per_w[0, 0] * np.ptp(heard_w, axis=1) + 3.0 + 1.0
    change = np.abs(np.diff(sampled["gpuTemperatureCelsius"].values))
    assert np.all(change <= allowed[: len(change)])


@pytest.mark.parametrize("device", sorted(DEVICES))
def test_the_worst_cooled_board_of_many_never_reaches_its_shutdown_temperature(device: str) -> None:
    def heat(seed: int) -> float:
        board = boards(DEVICES[device], seed, 1)
        return float((board.ambient_celsius + board.resistance_k_per_w * board.context_w).item())

    hottest = workload_on(DEVICES[device], "thermal-throttle", max(range(500), key=heat))
    check(hottest, sample(hottest, whole(hottest), LATEST_MS))


@each_scenario
def test_the_last_point_of_a_run_is_not_of_what_comes_after(name: str) -> None:
    """At the instant at which a run ends, its last phase still holds: nothing comes back, nothing idles."""
    run = workload_on(DEVICES["h100-sxm"], name, seed=3)
    if run.until_ms is None or run.until_ms - run.origin_ms < 3_000:
        return
    sampled = sample(run, Window(run.until_ms - 1, run.until_ms, 1), LATEST_MS)
    assert len({len(series) for name, series in sampled.items() if name.startswith("gpu")}) == 1
    for name, near in {"gpuMemoryUtilizationPercent": 1, "gpuUtilizationPercent": 3, "gpuPowerWatt": 30}.items():
        values = sampled[name].values
        assert len(values) in (0, 2)
        assert np.all(np.abs(np.diff(values)) <= near), name


@each_scenario
@some
@given(device=devices, seed=seeds, times=st.integers(2, 7), data=st.data())
def test_a_value_belongs_to_its_instant(name: str, device: Device, seed: int, times: int, data: st.DataObject) -> None:
    """Narrowing the window or coarsening the step to a multiple changes no value."""
    run = workload_on(device, name, seed)
    asked = data.draw(windows(run))
    first = data.draw(st.integers(0, (asked.end_ms - asked.start_ms) // asked.step_ms))
    narrow = Window(asked.start_ms + first * asked.step_ms, asked.end_ms, asked.step_ms)
    coarse = replace(narrow, step_ms=asked.step_ms * times)
    fine = {name: _points(series) for name, series in sample(run, asked, LATEST_MS).items()}
    for part, whole_part in ((narrow, 1), (coarse, times)):
        for series, points in sample(run, part, LATEST_MS).items():
            assert _points(points) == {
                t_ms: value
                for t_ms, value in fine[series].items()
                if t_ms >= part.start_ms and (t_ms - part.start_ms) % (asked.step_ms * whole_part) == 0
            }


def _points(series: Series) -> dict[int, float]:
    return dict(zip(series.times_ms.tolist(), series.values.tolist(), strict=True))


@each_scenario
def test_two_seeds_are_not_equal(name: str) -> None:
    one, two = (sample(run := workload_on(DEVICES["h100-sxm"], name, seed), whole(run), LATEST_MS) for seed in (1, 2))
    if len(one["gpuPowerWatt"]):
        assert one["gpuPowerWatt"].values.tolist() != two["gpuPowerWatt"].values.tolist()


def digest() -> str:
    """Of the answers about every scenario, on every device."""
    answers = hashlib.sha256()
    for name in NAMES:
        for number, device in enumerate(DEVICES.values()):
            run = workload_on(device, name, seed=number, gpus=1 + number % 2)
            for step_ms in (1000, 15_000):
                sampled = sample(run, replace(whole(run), step_ms=step_ms), LATEST_MS)
                answers.update(metrics_body("id", "host", "a", "b", sampled))
    return answers.hexdigest()


def test_two_processes_give_the_same_bytes() -> None:
    command = [sys.executable, "-c", f"from {__name__} import digest; print(digest())"]
    shown = {
        subprocess.run(
            command, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert shown == {digest()}


def test_the_series_of_scenarios_are_all_there() -> None:
    run = workload_on(DEVICES["h100-sxm"], "train-healthy", seed=1)
    assert tuple(sample(run, whole(run), LATEST_MS)) == SERIES_NAMES
