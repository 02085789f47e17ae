"""From a run to its workload: phases, shapes of its own, from when there are points, what disturbs them."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from emulator.runs.run import Run
from emulator.scenario.file.format import read_scenario
from emulator.scenario.pipeline import FaultKind, PipelineFault
from emulator.series_names import SERIES_NAMES
from emulator.statuses import RunStatus
from emulator.telemetry.counters import counters_at
from emulator.telemetry.plan import workload_of
from emulator.telemetry.series import sample
from emulator.telemetry.shapes import SHAPES, Beat, Shape
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Override, Phase
from tests.strategies import T0, force, run_of

TIMELINE = "timeout: ignore\ntimeline: [{pending: 5s}, {starting: 20s}, {running: 100s}]\n"
RUNNING_MS = T0 + 25_000


def run_from(text: str, seed: int = 3) -> Run:
    return run_of(read_scenario(TIMELINE + text, name="x", source="x.yaml"), seed=seed)


def phases_from(text: str, seed: int = 3) -> tuple[Phase, ...]:
    return workload_of(run_from(text, seed)).phases


def test_a_run_that_does_not_say_what_it_does_trains() -> None:
    assert phases_from("") == (Phase(SHAPES["train-llm"]),)


def test_phases_are_constants_draws_and_ramps_in_the_models_units() -> None:
    text = """
metrics:
  - {phase: load, for: 10s..30s, shape: load-weights, pcie_rx: 1GB/s}
  - {phase: train, shape: train-llm, power: 350W, sm: 60%..80%, gpu_memory: {from: 5%, to: 95%}}
"""
    load, train = phases_from(text)
    assert load.shape is SHAPES["load-weights"]
    assert load.overrides == (Override("pcie_rx_bytes_per_s", 1e9, 1e9),)
    assert load.duration_ms is not None
    assert 10_000 <= load.duration_ms <= 30_000
    assert train.duration_ms == 100_000 - load.duration_ms
    memory, sm, power = train.overrides
    assert power == Override("power_percent", 50, 50)
    assert sm.field == "sm_percent"
    assert 60 <= sm.start == sm.end <= 80
    assert memory == Override("gpu_memory_percent", 5, 95)
    other = phases_from(text, seed=4)
    assert (other[0].duration_ms, other[1].overrides[1]) != (load.duration_ms, sm)


OWN = """
shapes:
  mine:
    like: load-weights
    gpu_memory: 91%
    pcie_rx: 200MB/s
    beats:
      - {every: 2s, for: 500ms..900ms, activity: 40%..140%, jitter: 10%, sawtooth: true, gpu_utilization: 3%}
      - {every: 1m, for: 9s, activity: 5%, pcie_tx: 1GB/s..3GB/s}
  active: {like: load-weights, tensor: 30%}
  even: {like: hang, beats: []}
  stated: {like: load-weights, power: 350W, sm: 50%, beats: []}
metrics:
  - {phase: a, for: 10s, shape: mine}
  - {phase: b, for: 10s, shape: active}
  - {phase: c, for: 10s, shape: even}
  - {phase: d, shape: stated}
"""


def test_a_shape_of_its_own_is_the_built_in_one_but_for_what_it_gives() -> None:
    mine = phases_from(OWN)[0].shape
    beats = (
        Beat(every_ms=60_000, lasts_ms=(9_000, 9_000), activity=(0.05, 0.05), pcie_tx_bytes_per_s=(1e9, 3e9)),
        Beat(
            every_ms=2_000,
            lasts_ms=(500, 900),
            activity=(0.4, 1.4),
            jitter=0.1,
            sawtooth=True,
            gpu_utilization_percent=(3, 3),
        ),
    )
    given = {"name": "mine", "gpu_memory_percent": 91.0, "pcie_rx_bytes_per_s": 2e8, "beats": beats}
    assert mine == Shape(**{name: getattr(SHAPES["load-weights"], name) for name in Shape.__struct_fields__} | given)


def test_power_follows_from_what_a_shape_gives() -> None:
    _, active, even, stated = (phase.shape for phase in phases_from(OWN))
    assert (active.load_percent, active.power_percent) == (None, None)
    assert (even.power_percent, even.beats) == (27.5, ())
    assert (stated.load_percent, stated.power_percent) == (None, 50.0)


def test_a_shape_of_its_own_shows_in_the_series() -> None:
    sampled = sample(workload_of(run_from(OWN)), Window(RUNNING_MS + 75_000, RUNNING_MS + 99_000, 1000), T0 + 10**9)
    assert abs(sampled["gpuPowerWatt"].values.mean() / 350 - 1) < 0.05


def test_shapes_are_inherited_and_replaced_as_a_whole() -> None:
    text = """
shapes: {mine: {like: eval}}
metrics: [{phase: all, shape: mine, sm: 40%}]
variants: [{shapes: {mine: {like: hang}}}]
"""
    scenario = read_scenario(TIMELINE + text, name="x", source="x.yaml")
    shown = [workload_of(run_of(each)).phases[0].shape for each in (scenario, scenario.variants[0].scenario)]
    assert shown == [replace(SHAPES["eval"], name="mine"), replace(SHAPES["hang"], name="mine")]


@pytest.mark.parametrize(
    ("text", "first_ms"),
    [("", RUNNING_MS), ("metrics_from: running", RUNNING_MS), ("metrics_from: starting", T0 + 5_000)],
)
def test_points_begin_with_the_status_that_is_said(text: str, first_ms: int) -> None:
    run = workload_of(run_from(text))
    sampled = sample(run, Window(T0, T0 + 30_000, 1000), T0 + 10**9)
    assert sampled["gpuPowerWatt"].times_ms.tolist() == list(range(first_ms, T0 + 30_001, 1000))
    assert [len(counters_at(run, at_ms)) for at_ms in (first_ms - 1, first_ms)] == [0, 1]
    before = sampled["gpuUtilizationPercent"].times_ms < RUNNING_MS
    assert not sampled["gpuUtilizationPercent"].values[before].any()
    assert sampled["gpuUtilizationPercent"].values[~before].min() > 50


def test_a_machine_that_never_runs_idles_until_its_end() -> None:
    scenario = read_scenario(TIMELINE + "metrics_from: starting", name="x", source="x.yaml")
    run = workload_of(run_of(scenario, force(15, RunStatus.SYSTEM_FAILURE)))
    sampled = sample(run, Window(T0, T0 + 60_000, 1000), T0 + 10**9)
    assert (sampled["gpuPowerWatt"].times_ms[[0, -1]] - T0).tolist() == [5_000, 15_000]
    assert sampled["gpuPowerWatt"].values.max() < 90


def test_disturbances_are_those_of_the_file() -> None:
    text = """
telemetry:
  - {missing: 20%, from: 10s, until: 20s}
  - {frozen: true, series: [gpuTemperatureCelsius, gpuPowerWatt]}
  - {late: 15s, from: 1m}
  - {dropped: [gpuPowerLimitWatt], until: 5s}
"""
    assert workload_of(run_from(text)).disturbances == (
        PipelineFault(kind=FaultKind.MISSING, from_ms=10_000, until_ms=20_000, ratio=0.2),
        PipelineFault(kind=FaultKind.FROZEN, series=("gpuTemperatureCelsius", "gpuPowerWatt")),
        PipelineFault(kind=FaultKind.LATE, from_ms=60_000, delay_ms=15_000),
        PipelineFault(kind=FaultKind.DROPPED, until_ms=5_000, series=("gpuPowerLimitWatt",)),
    )


def test_an_exporter_frozen_from_its_start_shows_the_first_point() -> None:
    run = workload_of(run_from("metrics_from: starting\ntelemetry: [{frozen: true, until: 50s}]"))
    sampled = sample(run, Window(T0, RUNNING_MS + 60_000, 1000), T0 + 10**9)
    for name in SERIES_NAMES:
        assert len(np.unique(sampled[name].values[:70])) == 1, name
    assert sampled["gpuUtilizationPercent"].values[0] == 0
    assert sampled["gpuUtilizationPercent"].values[-5:].min() > 50


def test_two_frozen_stretches_keep_their_own_values() -> None:
    text = "telemetry: [{frozen: true, from: 10s, until: 20s}, {frozen: true, from: 30s, until: 40s}]"
    asked = Window(RUNNING_MS, RUNNING_MS + 59_000, 1000)
    seen, real = (sample(workload_of(run_from(each)), asked, T0 + 10**9)["gpuPowerWatt"].values for each in (text, ""))
    since = [10 if 10 <= second < 20 else 30 if 30 <= second < 40 else second for second in range(60)]
    assert seen.tolist() == real[since].tolist()
