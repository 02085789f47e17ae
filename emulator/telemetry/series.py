"""The twelve served series, sampled: signals of all GPUs brought together, rounded, overridden, disturbed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emulator.telemetry import pipeline
from emulator.telemetry.noise import Floats, Ints
from emulator.telemetry.signals import Gpus, signals
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Workload

Values: TypeAlias = NDArray[Any]
"""float64 for watts and keyframes, int64 for the rest."""

PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Series:
    """Points oldest first; instants are milliseconds since the epoch."""

    times_ms: Ints
    values: Values

    def __len__(self) -> int:
        return len(self.times_ms)


_GPU: dict[str, Callable[[Gpus], Values]] = {
    "gpuUtilizationPercent": lambda gpu: _whole(_mean(gpu.utilization) * 100.0),
    "gpuMemoryUtilizationPercent": lambda gpu: _whole(_mean(gpu.memory) * 100.0),
    "gpuTemperatureCelsius": lambda gpu: _whole(_mean(gpu.temperature_celsius)),
    "gpuPowerWatt": lambda gpu: np.round(_sum(gpu.power_w), 1),
    "gpuPowerLimitWatt": lambda gpu: np.round(_sum(gpu.limit_w), 1),
    "gpuClockSmMhz": lambda gpu: _whole(_mean(gpu.sm_clock_mhz)),
    "gpuClockMemMhz": lambda gpu: _whole(_mean(gpu.memory_clock_mhz)),
    "gpuPcieThroughputRxBytesPerSec": lambda gpu: _whole(_sum(gpu.rx_bytes_per_s)),
    "gpuPcieThroughputTxBytesPerSec": lambda gpu: _whole(_sum(gpu.tx_bytes_per_s)),
}
_SYSTEM = ("systemRamTotalBytes", "systemRamUsedBytes", "systemCpuUsagePercent")

SERIES: tuple[str, ...] = (*_GPU, *_SYSTEM)
"""Names on the wire, in the contract's order."""


def sample(workload: Workload, window: Window, now_ms: int) -> dict[str, Series]:
    """Every series of `SERIES` at the window's instants, as far as the machine exists and `now_ms` has come.

    A value belongs to its instant: it does not depend on the window, the step, or what was asked before.
    Several GPUs: percentages, temperatures and clocks are means, watts and bytes are sums. GPU series are
    empty without a GPU, and while it is lost.
    """
    times_ms = _instants(workload, window, now_ms)
    if not len(times_ms):
        empty = Series(times_ms, np.empty(0, dtype=np.int64))
        return dict.fromkeys(SERIES, empty)
    elapsed_ms = times_ms - workload.origin_ms
    values, present = _values(workload, elapsed_ms)
    for names, seen_ms in pipeline.stale(workload.faults, SERIES, elapsed_ms):
        seen, _ = _values(workload, seen_ms)
        values |= {name: seen[name] for name in names if name in seen}
    sampled: dict[str, Series] = {}
    for name in SERIES:
        if name not in values:
            sampled[name] = Series(times_ms[:0], np.empty(0, dtype=np.int64))
            continue
        keep = pipeline.kept(workload, name, elapsed_ms, now_ms - workload.origin_ms)
        if name in _GPU and present is not None:
            keep = present if keep is None else keep & present
        series = Series(times_ms, values[name])
        sampled[name] = series if keep is None else Series(times_ms[keep], values[name][keep])
    return sampled


def _instants(workload: Workload, window: Window, now_ms: int) -> Ints:
    if workload.exists_from_ms is None:
        return np.empty(0, dtype=np.int64)
    last_ms = now_ms if workload.until_ms is None else min(now_ms, workload.until_ms)
    span = window.clipped(workload.exists_from_ms, last_ms)
    return np.arange(span.start, span.stop, span.step, dtype=np.int64)


def _values(workload: Workload, elapsed_ms: Ints) -> tuple[dict[str, Values], NDArray[np.bool_] | None]:
    """Each series that this machine has, and where its GPUs are present (None: everywhere)."""
    source = signals(workload)
    readings = source.readings(elapsed_ms)
    used_pages = np.rint(readings.ram * (workload.ram_bytes / PAGE_BYTES)).astype(np.int64)
    values: dict[str, Values] = {
        "systemRamTotalBytes": np.full(len(elapsed_ms), workload.ram_bytes, dtype=np.int64),
        "systemRamUsedBytes": used_pages * PAGE_BYTES,
        "systemCpuUsagePercent": _whole(readings.cpu * 100.0),
    }
    present: NDArray[np.bool_] | None = None
    if readings.gpus is not None:
        values |= {name: served(readings.gpus) for name, served in _GPU.items()}
        present = source.present(elapsed_ms) if source.is_ever_lost else None
    for name, frames in workload.keyframes:
        if name in values:
            at, level = zip(*frames, strict=True)
            values[name] = np.interp(elapsed_ms, at, level)
    return values, present


def _mean(per_gpu: Floats) -> Floats:
    mean: Floats = per_gpu[0] if len(per_gpu) == 1 else per_gpu.mean(axis=0)
    return mean


def _sum(per_gpu: Floats) -> Floats:
    total: Floats = per_gpu[0] if len(per_gpu) == 1 else per_gpu.sum(axis=0)
    return total


def _whole(values: Floats) -> NDArray[np.int64]:
    return np.rint(values).astype(np.int64)
