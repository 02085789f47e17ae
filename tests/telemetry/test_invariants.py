"""What holds for the telemetry of any workload, on any device, with any seed, at any time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emulator.telemetry.board import boards
from emulator.telemetry.counters import IDLE, POWER_CAP, SOFTWARE_THERMAL, counters_at
from emulator.telemetry.noise import Ints
from emulator.telemetry.signals import Gpus, signals
from emulator.telemetry.workload import Override, Workload
from tests.telemetry.workloads import (
    START_MS,
    ages_ms,
    devices,
    every,
    lasting,
    steps_ms,
    workload,
    workloads,
)


def readings(run: Workload, t_ms: Ints) -> Gpus:
    gpus = signals(run).readings(t_ms).gpus
    assert gpus is not None
    return gpus


instants = st.builds(every, steps_ms, st.integers(1, 60), ages_ms)


@given(workloads(), ages_ms)
def test_the_frame_buffer_adds_up_to_the_devices_memory(run: Workload, age_ms: int) -> None:
    assert run.device
    for counters in counters_at(run, START_MS + age_ms):
        parts = [counters[f"DCGM_FI_DEV_FB_{part}"] for part in ("FREE", "USED", "RESERVED")]
        assert all(isinstance(part, int) and part >= 0 for part in parts)
        assert run.device.memory_mib - 2 <= sum(part or 0 for part in parts) <= run.device.memory_mib


@given(workloads(), ages_ms, st.integers(10, 60))
def test_power_is_what_energy_grows_by(run: Workload, age_ms: int, seconds: int) -> None:
    """Within 0.1 %, over ten seconds and more, whether the sensor shows means or moments."""
    assert run.device
    step_ms = 1 if run.device.instantaneous_power else 1000
    t_ms = every(step_ms, seconds * 1000 // step_ms + 1, age_ms)
    gpus = readings(run, t_ms)
    shown_j = gpus.power_w[:, 1:].sum(axis=1) * step_ms / 1000
    grown_j = gpus.energy_j[:, -1] - gpus.energy_j[:, 0]
    assert np.all(np.abs(shown_j - grown_j) <= 0.001 * grown_j)


@given(workloads(), instants)
def test_energy_never_falls(run: Workload, t_ms: Ints) -> None:
    fine_ms = np.sort(np.concatenate([t_ms, t_ms + 1, t_ms + 40]))
    assert np.all(np.diff(signals(run).energy_j(fine_ms)) >= 0)


@given(workloads(), instants)
def test_activity_stays_within_its_bounds(run: Workload, t_ms: Ints) -> None:
    source = signals(run)
    gpus = readings(run, t_ms)
    busy = source.activity(t_ms, gpus)
    for ratio in (gpus.utilization, gpus.memory, busy.engine, busy.sm, busy.tensor, busy.dram):
        assert np.all((ratio >= 0) & (ratio <= 1))
    assert np.all(busy.tensor <= busy.sm)
    assert np.all(busy.dram <= 0.85)
    assert np.all(busy.engine <= gpus.utilization + 0.05)


@given(workloads(devices.filter(lambda device: not device.instantaneous_power)), instants)
def test_mean_power_keeps_to_the_limit(run: Workload, t_ms: Ints) -> None:
    gpus = readings(run, t_ms)
    # The last second may have begun under another phase's limit.
    limit_w = np.maximum(gpus.limit_w, readings(run, t_ms - 1000).limit_w)
    assert np.all(gpus.power_w <= 1.03 * limit_w)


@given(workloads(devices.filter(lambda device: device.instantaneous_power)), ages_ms)
def test_momentary_power_exceeds_the_limit_briefly_at_most(run: Workload, age_ms: int) -> None:
    gpus = readings(run, every(170, 2000, age_ms))
    assert np.quantile(gpus.power_w / gpus.limit_w, 0.99) <= 1.12


@given(workloads(), instants)
def test_clocks_stand_on_their_grid(run: Workload, t_ms: Ints) -> None:
    device = run.device
    assert device
    gpus = readings(run, t_ms)
    assert set(gpus.memory_clock_mhz.ravel()) <= {device.memory_idle_mhz, device.memory_max_mhz}
    steps = np.ceil(gpus.sm_clock_mhz / device.clock_step_mhz)
    assert np.array_equal(np.trunc(steps * device.clock_step_mhz), gpus.sm_clock_mhz)
    assert np.all((gpus.sm_clock_mhz >= device.sm_idle_mhz) & (gpus.sm_clock_mhz <= device.sm_max_mhz))


@given(workloads(), instants)
def test_a_clock_below_maximum_has_a_reason(run: Workload, t_ms: Ints) -> None:
    assert run.device
    source, gpus = signals(run), readings(run, t_ms)
    busy = source.activity(t_ms, gpus)
    slowed = gpus.sm_clock_mhz < run.device.sm_max_mhz
    assert not np.any(slowed & ~(busy.idle | busy.capped | busy.throttled))
    assert not np.any(busy.sm[busy.idle] > 0)


@given(workloads(), ages_ms)
def test_the_reasons_are_the_bits_of_dcgm(run: Workload, age_ms: int) -> None:
    t_ms = every(1, 1, age_ms)
    gpus = readings(run, t_ms)
    busy = signals(run).activity(t_ms, gpus)
    for number, counters in enumerate(counters_at(run, START_MS + age_ms)):
        bits = counters["DCGM_FI_DEV_CLOCKS_EVENT_REASONS"]
        assert isinstance(bits, int)
        assert bool(bits & POWER_CAP) == busy.capped[number, 0]
        assert bool(bits & IDLE) == busy.idle[number, 0]
        assert bool(bits & SOFTWARE_THERMAL) == busy.throttled[number, 0]


@given(workloads(), ages_ms)
def test_temperature_follows_power_within_a_second(run: Workload, age_ms: int) -> None:
    assert run.device
    board = boards(run.device, run.seed, run.gpus)
    gpus = readings(run, every(1000, 60, age_ms))
    assert np.all(gpus.temperature_celsius >= board.ambient_celsius)
    # Most sensors show the mean of a second, so what warmed the board shows up to a second later.
    power_w = readings(run, every(100, 620, age_ms - 1000)).power_w
    for index in range(59):
        span_w = np.ptp(power_w[:, index * 10 : index * 10 + 31], axis=1)
        change = np.abs(gpus.temperature_celsius[:, index + 1] - gpus.temperature_celsius[:, index])
        assert np.all(change <= 0.25 * board.resistance_k_per_w[:, 0] * span_w + 3.0)


@given(workloads(), st.floats(0, 60), st.integers(0, 3_000))
def test_a_board_without_air_slows_down_at_its_threshold(run: Workload, percent: float, age_s: int) -> None:
    assert run.device
    starved = workload(
        lasting("prefill", 10**6, Override("airflow_percent", percent, percent)),
        device=run.device,
        seed=run.seed,
    )
    t_ms = every(1000, 100, age_s * 1000)
    gpus = readings(starved, t_ms)
    throttled = signals(starved).activity(t_ms, gpus).throttled
    assert np.all(throttled[gpus.temperature_celsius >= run.device.slowdown_celsius])
    assert gpus.temperature_celsius.max() < run.device.slowdown_celsius + 1.0


@given(workloads(), instants)
def test_traffic_never_stops_and_never_exceeds_the_bus(run: Workload, t_ms: Ints) -> None:
    assert run.device
    gpus = readings(run, t_ms)
    assert np.all((gpus.rx_bytes_per_s > 0) & (gpus.rx_bytes_per_s <= run.device.pcie_rx_ceiling_bytes_per_s))
    assert np.all((gpus.tx_bytes_per_s > 0) & (gpus.tx_bytes_per_s <= run.device.pcie_tx_ceiling_bytes_per_s))


@given(workloads(), instants)
def test_the_host_stays_within_its_means(run: Workload, t_ms: Ints) -> None:
    host = signals(run).readings(t_ms)
    assert np.all((host.cpu >= 0) & (host.cpu <= 1))
    assert np.all((host.ram > 0) & (host.ram <= 1))


def test_gpus_of_one_run_share_the_load_and_not_the_noise() -> None:
    run = workload("hang", gpus=8)
    power_w = readings(run, every(3000, 4000, 3_600_000)).power_w
    noise = power_w - power_w.mean(axis=1, keepdims=True)
    correlation = np.corrcoef(noise)
    assert np.abs(correlation - np.eye(8)).max() < 0.1


def test_two_seeds_look_alike_and_are_not_equal() -> None:
    one, two = (readings(workload("train-llm", seed=seed), every(15_000, 240)) for seed in (1, 2))
    assert not np.array_equal(one.power_w, two.power_w)
    assert abs(one.power_w.mean() / two.power_w.mean() - 1) < 0.08
