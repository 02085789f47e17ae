"""Shapes as data: the built-in ones are the published figures, others come from a mapping."""

from __future__ import annotations

import numpy as np
import pytest

from emulator.scenario import metrics
from emulator.telemetry.shapes import QUANTITIES, SHAPES, Beat, Shape
from emulator.telemetry.signals import signals
from emulator.telemetry.workload import Override, Phase
from tests.telemetry.workloads import A100, every, workload


def power_w(shape: str, seconds: int = 3600) -> np.ndarray:
    gpus = signals(workload(shape)).readings(every(1000, seconds, 600_000)).gpus
    assert gpus is not None
    row: np.ndarray = gpus.power_w[0]
    return row


def test_every_shape_that_a_scenario_may_name_is_there() -> None:
    assert {shape.value for shape in metrics.ShapeName} <= SHAPES.keys()


def test_every_quantity_that_a_scenario_may_set_is_there() -> None:
    assert {quantity.value for quantity in metrics.Quantity} <= QUANTITIES.keys()


@pytest.mark.parametrize(
    ("shape", "low_w", "high_w"),
    [
        ("bare-idle", 67, 77),  # H100 SXM as captured
        ("context", 110, 125),  # with a live context
        ("load-weights", 175, 205),  # the plateau before training starts
        ("train-llm", 560, 660),  # Llama-2-70B LoRA, mean
        ("decode", 325, 365),  # small batches
        ("prefill", 650, 700),
        ("hang", 140, 245),  # a fifth to a third of the limit
    ],
)
def test_mean_power_on_h100_is_the_published_one(shape: str, low_w: float, high_w: float) -> None:
    assert low_w <= power_w(shape).mean() <= high_w


def test_training_dips_every_ten_seconds_by_a_sixth() -> None:
    watts = power_w("oom", 2000)  # training without checkpoints
    spectrum = np.abs(np.fft.rfft(watts - watts.mean()))
    period_s = len(watts) / int(np.argmax(spectrum))
    assert 10.0 <= period_s <= 10.8
    busy, dip = np.quantile(watts, 0.6), np.quantile(watts, 0.1)
    assert 0.78 <= dip / busy <= 0.88


def test_checkpoints_take_18_to_40_seconds_at_a_third_of_the_power() -> None:
    gpus = signals(workload("train-llm")).readings(every(1000, 7200, 60_000)).gpus
    assert gpus is not None
    watts, sent = gpus.power_w[0], gpus.tx_bytes_per_s[0]
    saving = sent > 500e6
    starts = np.flatnonzero(np.diff(saving.astype(int)) == 1)
    ends = np.flatnonzero(np.diff(saving.astype(int)) == -1)
    lasts_s = ends[1:] - starts[: len(ends) - 1] if ends[0] < starts[0] else ends - starts[: len(ends)]
    assert len(starts) >= 10
    assert lasts_s.min() >= 17
    assert lasts_s.max() <= 41
    usual_w = np.median(watts)
    assert 0.30 <= watts[saving].mean() / usual_w <= 0.42


def test_a_starved_loader_shows_as_a_sawtooth() -> None:
    gpus = signals(workload("data-starved")).readings(every(1000, 900, 60_000)).gpus
    assert gpus is not None
    utilization = gpus.utilization[0]
    assert 0.2 <= utilization.mean() <= 0.5
    assert np.mean(utilization < 0.12) > 0.3
    assert utilization.max() > 0.75


def test_weights_come_in_over_the_bus_and_fill_the_memory() -> None:
    run = workload(Phase(SHAPES["load-weights"], 120_000), device=A100)
    gpus = signals(run).readings(every(1000, 120)).gpus
    assert gpus is not None
    assert gpus.memory[0, 0] < 0.02
    assert 0.65 <= gpus.memory[0, -1] <= 0.75
    assert np.all(np.diff(gpus.memory[0]) >= 0)
    assert 1e9 <= gpus.rx_bytes_per_s.mean() <= 5e9


@pytest.mark.parametrize(
    ("every_ms", "lasts_ms", "message"),
    [
        (1000, (500, 1000), "a beat lasts longer than nothing and less than its period"),
        (499, (1, 2), "a beat comes back every half second to every day"),
    ],
)
def test_a_beat_that_cannot_be_is_refused(every_ms: int, lasts_ms: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Beat(every_ms=every_ms, lasts_ms=lasts_ms, activity=(0, 1))


@pytest.mark.parametrize(
    ("periods_ms", "message"),
    [
        ((1000, 1001), "mine: beats come with the slowest first"),
        ((500_001, 500), "mine: the slowest beat is more than 1,000 times as long as the fastest"),
    ],
)
def test_beats_that_do_not_nest_are_refused(periods_ms: tuple[int, int], message: str) -> None:
    beats = tuple(Beat(every_ms=every_ms, lasts_ms=(1, 2), activity=(0, 1)) for every_ms in periods_ms)
    with pytest.raises(ValueError, match=message):
        Shape(name="mine", beats=beats)


def test_only_quantities_can_be_overridden() -> None:
    with pytest.raises(ValueError, match="'beats' cannot be overridden; gpu_utilization_percent, "):
        Override("beats", 1, 2)
