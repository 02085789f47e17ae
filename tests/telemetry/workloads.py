"""Workloads for tests: one built by hand, and any that Hypothesis can think of."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from emulator.hardware.devices import DEVICES, Device
from emulator.telemetry.noise import Ints
from emulator.telemetry.shapes import SHAPES, Shape
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Override, Phase, Workload
from tests.strategies import seeds

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z, where all of them start running."""

FAR_MS = START_MS + 400 * 86_400_000

H100 = DEVICES["h100-sxm"]
A100 = DEVICES["a100-80-sxm"]


def workload(*phases: Phase | str, device: Device | None = H100, seed: int = 1, **changes: Any) -> Workload:
    """A workload on one H100, running from `START_MS`; a text stands for an endless phase of that shape."""
    values: dict[str, Any] = {
        "seed": seed,
        "device": device,
        "gpus": 1 if device else 0,
        "ram_bytes": 200 << 30,
        "vcpus": 24,
        "phases": tuple(Phase(SHAPES[phase]) if isinstance(phase, str) else phase for phase in phases),
        "exists_from_ms": START_MS,
        "running_from_ms": START_MS,
    }
    return Workload(**(values | changes))


def lasting(shape: str | Shape, seconds: float, *overrides: Override) -> Phase:
    return Phase(SHAPES[shape] if isinstance(shape, str) else shape, int(seconds * 1000), overrides)


def every(step_ms: int, count: int, start_ms: int = 0) -> Ints:
    """Instants counted from the origin."""
    return start_ms + step_ms * np.arange(count, dtype=np.int64)


def window(seconds: float, step_ms: int = 1000, start_s: float = 0) -> Window:
    first = START_MS + round(start_s * 1000)
    return Window(first, first + round(seconds * 1000), step_ms)


devices = st.sampled_from(sorted(DEVICES.values(), key=lambda device: device.key))
shapes = st.sampled_from(sorted(SHAPES.values(), key=lambda shape: shape.name))
steps_ms = st.one_of(st.sampled_from([1000, 5000, 15_000, 60_000]), st.integers(1, 100_000))
ages_ms = st.one_of(st.integers(0, 600_000), st.integers(0, 10**7), st.integers(0, 10**12))

_PERCENT = st.floats(0, 100, allow_nan=False)
_overrides = st.one_of(
    st.builds(Override, st.just("gpu_memory_percent"), _PERCENT, _PERCENT),
    st.builds(Override, st.just("gpu_utilization_percent"), _PERCENT, _PERCENT),
    st.builds(Override, st.just("sm_percent"), _PERCENT, _PERCENT),
    st.builds(Override, st.just("power_percent"), st.floats(0, 150), st.floats(0, 150)),
    st.builds(Override, st.just("pcie_rx_bytes_per_s"), st.floats(0, 1e12), st.floats(0, 1e12)),
    st.floats(40, 100).map(lambda percent: Override("power_limit_percent", percent, percent)),
)


@st.composite
def phases(draw: st.DrawFn) -> tuple[Phase, ...]:
    """Up to three phases with ends, and one without."""
    ended = draw(
        st.lists(
            st.builds(
                Phase,
                shapes,
                st.integers(0, 1_500_000),
                st.lists(_overrides, max_size=2, unique_by=lambda override: override.field).map(tuple),
            ),
            max_size=3,
        )
    )
    return (*ended, Phase(draw(shapes)))


@st.composite
def workloads(draw: st.DrawFn, on: st.SearchStrategy[Device] = devices) -> Workload:
    """Any shapes on any device with any seed."""
    idle_ms = draw(st.sampled_from([0, 0, 500, 60_000]))
    return workload(
        *draw(phases()),
        device=draw(on),
        seed=draw(seeds),
        gpus=draw(st.sampled_from([1, 1, 2, 8])),
        exists_from_ms=START_MS - idle_ms,
    )


@st.composite
def windows(draw: st.DrawFn, most: int = 60) -> Window:
    """Up to `most` points, somewhere in a run of up to thirty years."""
    step_ms = draw(steps_ms)
    first = START_MS + draw(ages_ms)
    return Window(first, first + step_ms * draw(st.integers(0, most - 1)), step_ms)
