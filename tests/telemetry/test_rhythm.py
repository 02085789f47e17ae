"""The segments of a cycle, whose draws are made for many steps at once."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.telemetry.rhythm import _Drawing, cycle
from emulator.telemetry.shapes import SHAPES, Beat, Shape
from tests.strategies import seeds

_RATIOS = st.tuples(st.floats(0, 2), st.floats(0, 2))
_SPANS = st.one_of(st.none(), st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)))


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Any built-in one, with up to three beats of its own inside each other."""
    periods_ms = sorted(draw(st.lists(st.integers(600, 90_000), min_size=1, max_size=3)), reverse=True)
    beats = []
    for period_ms in periods_ms:
        low_ms, high_ms = sorted(draw(st.tuples(st.integers(1, period_ms // 3), st.integers(1, period_ms // 3))))
        during = [draw(_SPANS) for _ in range(3)]
        beats.append(
            Beat(
                every_ms=period_ms,
                lasts_ms=(low_ms, high_ms),
                activity=draw(_RATIOS),
                jitter=draw(st.floats(0, 0.5)),
                sawtooth=draw(st.booleans()),
                gpu_utilization_percent=during[0],
                pcie_rx_bytes_per_s=during[1],
                pcie_tx_bytes_per_s=during[2],
            )
        )
    return replace(SHAPES["train-llm"], beats=tuple(beats))


def one_by_one(drawing: _Drawing, room_ms: int) -> int:
    """What `_steps` does, period after period."""
    taken_ms = 0
    while (period_ms := drawing.period(len(drawing._beats) - 1, room_ms - taken_ms)) is not None:
        taken_ms += period_ms
    return taken_ms


def all_one_by_one(drawing: _Drawing, count: int) -> None:
    for _ in range(count):
        drawing.period(0, None)


@given(shapes(), seeds)
def test_steps_are_those_that_are_drawn_one_by_one(shape: Shape, seed: int) -> None:
    at_once = cycle(shape, seed)
    with mock.patch.multiple(_Drawing, _steps=one_by_one, periods=all_one_by_one):
        each = cycle(shape, seed)
    for these, those in zip(at_once, each, strict=True):
        np.testing.assert_array_equal(these, those)


def test_what_a_built_in_cycle_is_made_of() -> None:
    segments = cycle(SHAPES["train-llm"], 7)
    assert {len(values) for values in segments} == {len(segments.length_ms)}
    saving = ~np.isnan(segments.pcie_tx_bytes_per_s)
    assert saving.sum() == 8  # checkpoints
    assert np.all(segments.activity[saving] <= 0.2)
    assert segments.length_ms.sum() / 8 == pytest.approx(604_000, rel=0.02)
