"""What is compiled for telemetry is kept within a bound of bytes, and read in a circle without falling off it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from emulator.hardware.devices import DEVICES
from emulator.telemetry import counters
from emulator.telemetry import signals as module
from emulator.telemetry.counters import counters_at
from emulator.telemetry.kept import Kept
from emulator.telemetry.shapes import SHAPES
from emulator.telemetry.signals import Signals, signals, signals_until
from emulator.telemetry.workload import Override, Phase, Workload
from tests.telemetry.workloads import START_MS, ages_ms, lasting, workload, workloads


class Thing(Struct):
    nbytes: int


def test_what_was_not_asked_for_the_longest_goes() -> None:
    kept: Kept[str, Thing] = Kept(100)
    kept.put("a", Thing(40))
    kept.put("b", Thing(40))
    assert kept.get("a") is not None
    kept.put("c", Thing(40))
    assert [key for key in "abc" if kept.get(key)] == ["a", "c"]
    assert kept.nbytes == 80


def test_one_that_is_larger_than_the_room_is_kept_alone() -> None:
    kept: Kept[str, Thing] = Kept(100)
    kept.put("a", Thing(40))
    kept.put("large", Thing(400))
    assert (len(kept), kept.nbytes) == (1, 400)
    kept.put("b", Thing(1))
    assert (len(kept), kept.nbytes) == (1, 1)


def test_what_is_put_twice_counts_once() -> None:
    kept: Kept[str, Thing] = Kept(100)
    kept.put("a", Thing(40))
    kept.put("a", Thing(30))
    assert (len(kept), kept.nbytes) == (1, 30)


def test_there_is_room_for_one_as_large_as_the_others() -> None:
    kept: Kept[str, Thing] = Kept(100)
    assert kept.has_room
    kept.put("a", Thing(40))
    assert kept.has_room
    kept.put("b", Thing(40))
    assert not kept.has_room


@pytest.mark.parametrize(("gpus", "device"), [(1, "h100-sxm"), (8, "h100-sxm"), (2, "a100-80-sxm")])
def test_signals_know_how_large_they_are(gpus: int, device: str) -> None:
    run = workload(lasting("load-weights", 60), "train-llm", device=DEVICES[device], gpus=gpus)
    Signals(run)  # what is made once for all
    tracemalloc.start()
    try:
        built = Signals(run)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert built.nbytes == pytest.approx(taken, rel=0.1)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Kept[Workload, Signals]:
    """Room for ten runs."""
    kept: Kept[Workload, Signals] = Kept(10 * Signals(workload("train-llm")).nbytes)
    monkeypatch.setattr(module, "_kept", kept)
    return kept


def runs(count: int) -> list[Workload]:
    return [workload("train-llm", seed=seed) for seed in range(count)]


def test_signals_are_kept_within_their_bytes(small: Kept[Workload, Signals]) -> None:
    for run in runs(30):
        assert signals(run) is signals(run)
        assert small.nbytes <= small._max_bytes
    assert 8 <= len(small) <= 11


def test_whoever_goes_round_more_runs_than_fit_finds_most_of_those_that_do(small: Kept[Workload, Signals]) -> None:
    first = [signals_until(run, 60_000) for run in runs(20)]
    for _ in range(5):
        again = [signals_until(run, 60_000) for run in runs(20)]
        assert sum(one is other for one, other in zip(first, again, strict=True)) >= 6
        first = again


def test_runs_that_are_over_make_room_for_those_that_go_on(small: Kept[Workload, Signals]) -> None:
    for run in runs(20):
        signals(run)
    for _ in range(16):
        for run in runs(23)[20:]:
            signals_until(run, 60_000)
    assert all(signals_until(run, 60_000) is signals_until(run, 60_000) for run in runs(23)[20:])


@given(workloads(), st.one_of(st.just(0), ages_ms))
def test_what_is_compiled_for_an_instant_shows_the_same_there(run: Workload, age_ms: int) -> None:
    whole = counters_at(run, START_MS + age_ms)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counters, "signals_until", Signals)
        assert counters_at(run, START_MS + age_ms) == whole


def test_what_comes_later_is_not_compiled() -> None:
    ramped = Phase(SHAPES["train-llm"], 86_400_000, (Override("power_percent", 50, 90),))
    run = workload(lasting("context", 60), ramped, lasting("oom", 60))
    whole, begun = Signals(run), Signals(run, 30_000)
    assert begun.nbytes < whole.nbytes / 10
    at = np.array([0, 30_000])
    for these, those in zip(begun.readings(at)[:2], whole.readings(at)[:2], strict=True):
        np.testing.assert_array_equal(these, those)
