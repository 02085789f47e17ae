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


def curves(keys: noise.Bits, t_ms: noise.Floats, tick_ms: int, **ticks: int) -> noise.Curves:
    (each,) = noise.curves((keys, noise.Ticks(t_ms, noise.number(tick_ms), **ticks)))
    return each


def linear(keys: noise.Bits, t_ms: noise.Floats, tick_ms: int) -> noise.Floats:
    return curves(keys, t_ms, tick_ms).linear()


def spline(keys: noise.Bits, t_ms: noise.Floats, tick_ms: int, before: int = 0) -> noise.Floats:
    return curves(keys, t_ms, tick_ms, before=before, after=2).spline()


def slope(keys: noise.Bits, t_ms: noise.Floats, tick_ms: int) -> noise.Floats:
    return curves(keys, t_ms, tick_ms, after=2).spline_slope()


@given(seeds, st.integers(-(2**35), 2**35), st.integers(2, 100_000))
def test_smooth_noise_passes_through_its_draws(seed: int, tick: int, tick_ms: int) -> None:
    keys = noise.seeds(seed, (1,), 1)
    t_ms = np.array([tick * tick_ms, tick * tick_ms + tick_ms // 2], dtype=np.float64)
    at, halfway = linear(keys, t_ms, tick_ms)[0]
    first, second = (2 * scalar.uniform(seed, 1, 0, tick + later) - 1 for later in (0, 1))
    assert at == np.float64(first)
    assert abs(halfway - (first + (second - first) * (tick_ms // 2) / tick_ms)) < 1e-12


def test_the_slope_of_the_spline_is_its_derivative() -> None:
    keys = noise.seeds(3, (1,), 2)
    t_ms = every(1, 50_000, -20_000)
    curve = spline(keys, t_ms.astype(np.float64), 1000)[:, 0]
    half = slope(keys, t_ms.astype(np.float64), 1000)[:, 0]
    assert np.abs(curve).max() <= 1.0
    assert np.abs(half).max() <= 1.0
    measured = (curve[:, 2:] - curve[:, :-2]) * 500
    assert np.abs(measured - 2.0 * half[:, 1:-1]).max() < 0.01


@given(seeds, st.integers(-(10**9), 10**9), st.integers(1, 40_000), st.integers(1, 60))
def test_noise_does_not_depend_on_how_densely_it_is_asked_for(seed: int, start_ms: int, step_ms: int, n: int) -> None:
    """Dense instants share their draws; each alone has its own."""
    keys = noise.seeds(seed, (1,), 2)
    t_ms = every(step_ms, n, start_ms).astype(np.float64)
    alone = [linear(keys, t_ms[index : index + 1], 5000) for index in range(n)]
    assert np.array_equal(linear(keys, t_ms, 5000), np.concatenate(alone, axis=1))
    before = [spline(keys, t_ms[index : index + 1], 1000, 1) for index in range(n)]
    assert np.array_equal(spline(keys, t_ms, 1000, 1), np.concatenate(before, axis=2))
    assert np.array_equal(spline(keys, t_ms, 1000, 1)[:, 0], spline(keys, t_ms - 1000, 1000)[:, 0])


@given(seeds, st.integers(-(2**20), 2**20), st.integers(2, 60), st.integers(1, 999))
def test_instants_on_a_tick_are_drawn_alone_and_come_out_the_same(seed: int, first: int, n: int, later_ms: int) -> None:
    """Where a window lies on ticks, half of the draws are spared: beside one instant off them, none is."""
    keys = noise.seeds(seed, (1,), 2)
    on_ticks = every(1000, n, 1000 * first).astype(np.float64)
    mixed = np.append(on_ticks, on_ticks[-1] + later_ms)
    assert np.array_equal(linear(keys, on_ticks, 1000), linear(keys, mixed, 1000)[:, :-1])
    assert np.array_equal(spline(keys, on_ticks, 1000, 1), spline(keys, mixed, 1000, 1)[..., :-1])
    assert np.array_equal(slope(keys, on_ticks, 1000), slope(keys, mixed, 1000)[..., :-1])


@given(seeds, st.integers(-(10**9), 10**9), st.sampled_from([1, 999, 1000, 15_000]), st.integers(1, 60))
def test_noises_that_are_drawn_together_are_those_drawn_alone(seed: int, start_ms: int, step_ms: int, n: int) -> None:
    slow, fast = noise.seeds(seed, (1, 2), 2), noise.seeds(seed, (3,), 2)
    t_ms = every(step_ms, n, start_ms).astype(np.float64)
    asked = (
        (slow, noise.Ticks(t_ms, noise.number(5000))),
        (fast, noise.Ticks(t_ms, noise.number(100), before=1, after=2)),
    )
    both = noise.curves(*asked)
    assert np.array_equal(both[0].linear(), linear(slow, t_ms, 5000))
    assert np.array_equal(both[1].spline(), spline(fast, t_ms, 100, 1))
