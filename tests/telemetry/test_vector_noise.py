"""The vectorised noise is the scalar one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emulator import noise as scalar
from emulator.telemetry import noise
from tests.strategies import seeds
from tests.telemetry.workloads import every

ticks = st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20)


@given(seeds, st.integers(0, 500), ticks)
def test_vector_and_scalar_agree(seed: int, signal: int, drawn: list[int]) -> None:
    keys = noise.seeds(seed, (signal,), 3)
    mixed = noise.mix(keys, np.array(drawn, dtype=np.int64))
    assert mixed.tolist() == [[scalar.mix(seed, signal, gpu, tick) for tick in drawn] for gpu in range(3)]


@given(seeds, ticks)
def test_uniform_agrees_too(seed: int, drawn: list[int]) -> None:
    keys = noise.seeds(seed, (1,), 1)
    values = noise.uniform(keys, np.array(drawn, dtype=np.int64))
    assert values.tolist() == [[scalar.uniform(seed, 1, 0, tick) for tick in drawn]]


@given(seeds, st.integers(-(2**40), 2**40), st.integers(2, 100_000))
def test_smooth_noise_passes_through_its_draws(seed: int, tick: int, tick_ms: int) -> None:
    keys = noise.seeds(seed, (1,), 1)
    at, halfway = noise.smooth(keys, np.array([tick * tick_ms, tick * tick_ms + tick_ms // 2]), tick_ms)[0]
    first, second = (2 * scalar.uniform(seed, 1, 0, tick + later) - 1 for later in (0, 1))
    assert at == np.float64(first)
    assert abs(halfway - (first + (second - first) * (tick_ms // 2) / tick_ms)) < 1e-12


def test_the_slope_of_the_spline_is_its_derivative() -> None:
    keys = noise.seeds(3, (1,), 2)
    t_ms = every(1, 50_000, -20_000)
    curve, slope = noise.spline(keys, t_ms, 1000)
    assert np.abs(curve).max() <= 1.0
    assert np.abs(slope).max() <= 2.0
    measured = (curve[:, 2:] - curve[:, :-2]) * 500
    assert np.abs(measured - slope[:, 1:-1]).max() < 0.01
