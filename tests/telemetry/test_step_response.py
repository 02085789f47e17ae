"""A board's answer to load coming and going, as logged on a B300 every 250 ms."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from emulator.hardware.devices import DEVICES
from emulator.telemetry.board import boards
from emulator.telemetry.noise import Floats
from emulator.telemetry.shapes import SHAPES
from emulator.telemetry.signals import Gpus, signals
from emulator.telemetry.workload import Phase
from tests.telemetry.workloads import every, lasting, workload

LOAD_MS, OFF_MS = 60_000, 120_000
STEP = workload(lasting("bare-idle", 60), lasting("prefill", 60), "bare-idle", device=DEVICES["b200-sxm"])


def readings(start_ms: int, seconds: float, step_ms: int = 250) -> Gpus:
    gpus = signals(STEP).readings(every(step_ms, int(seconds * 1000 / step_ms) + 1, start_ms)).gpus
    assert gpus is not None
    return gpus


def one(values: Floats) -> Floats:
    row: Floats = values[0]
    return row


def test_power_takes_nine_tenths_of_the_step_within_1300_ms() -> None:
    before = one(readings(LOAD_MS - 250, 0).power_w)[0]
    after = one(readings(LOAD_MS + 3_000, 0).power_w)[0]
    power_w = one(readings(LOAD_MS, 1.3, 50).power_w)
    assert after > 4 * before
    assert power_w[-1] >= before + 0.9 * (after - before)


def test_reported_power_ramps_evenly_over_the_averaging_second() -> None:
    power_w = one(readings(LOAD_MS, 1.0, 100).power_w)
    assert np.allclose(np.diff(power_w), (power_w[-1] - power_w[0]) / 10, rtol=0.1)


def test_the_clock_is_up_within_one_sample() -> None:
    device = DEVICES["b200-sxm"]
    clock = one(readings(LOAD_MS - 1, 0.25, 1).sm_clock_mhz)
    assert clock[0] == device.sm_idle_mhz
    assert np.all(clock[1:] == device.sm_max_mhz)


def test_the_clock_stays_up_after_load_and_walks_down() -> None:
    device = DEVICES["b200-sxm"]
    clock = one(readings(OFF_MS, 8, 10).sm_clock_mhz)
    held_ms = 10 * int(np.argmax(clock < device.sm_max_mhz))
    down_ms = 10 * int(np.argmax(clock == device.sm_idle_mhz))
    assert 1_500 <= held_ms <= 2_010
    assert 2_500 <= down_ms - held_ms <= 3_600
    walk = clock[held_ms // 10 : down_ms // 10 + 1]
    assert np.all(np.diff(walk) <= 0)
    assert len(set(walk)) >= 6
    assert walk[0] < 0.3 * device.sm_max_mhz


def test_power_rests_at_the_context_level_while_the_clock_is_held() -> None:
    board = boards(DEVICES["b200-sxm"], STEP.seed, 1)
    gpus = readings(OFF_MS + 1_300, 0)
    assert abs(one(gpus.power_w)[0] - board.context_w[0, 0]) < 5
    assert abs(one(readings(OFF_MS + 8_000, 0).power_w)[0] - board.idle_w[0, 0]) < 1


def test_both_fast_thermal_terms_show() -> None:
    """Half of the die's rise within a second; the package's over the next half minute."""
    board = boards(DEVICES["b200-sxm"], STEP.seed, 1)
    celsius = one(readings(LOAD_MS - 1000, 41, 250).temperature_celsius)
    step_k = (one(readings(LOAD_MS + 3_000, 0).power_w)[0] - board.idle_w[0, 0]) * board.resistance_k_per_w[0, 0]
    start, second, half_minute = celsius[4], celsius[8], celsius[4 + 120]
    assert second - start >= 0.5 * 0.25 * step_k
    assert 0.25 * step_k * 0.7 <= half_minute - second <= 0.45 * step_k


def test_power_creeps_up_by_a_few_percent_while_the_board_warms() -> None:
    steady = replace(SHAPES["eval"], name="steady", beats=())
    run = workload(lasting("context", 60), Phase(steady))
    gpus = signals(run).readings(every(1000, 400, 60_000)).gpus
    assert gpus is not None
    early, late = gpus.power_w[0, 2:22].max(), gpus.power_w[0, 300:].max()
    assert 1.005 <= late / early <= 1.03


def test_a_capped_clock_falls_as_the_board_warms() -> None:
    run = workload(lasting("context", 60), "prefill", device=DEVICES["t4"])
    gpus = signals(run).readings(every(1000, 900, 60_000)).gpus
    assert gpus is not None
    cold, warm = gpus.sm_clock_mhz[0, 2:30].mean(), gpus.sm_clock_mhz[0, 600:].mean()
    kelvins = gpus.temperature_celsius[0, 600:].mean() - gpus.temperature_celsius[0, 2:30].mean()
    assert 2.5 <= (cold - warm) / kelvins <= 4.5
    assert np.all(np.abs(gpus.power_w[0, 5:] - 70) <= 1)
