"""The twelve served series, sampled: signals of all GPUs brought together, rounded, overridden, disturbed."""

from __future__ import annotations

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


_TENTHS = ("gpuPowerWatt", "gpuPowerLimitWatt")
_GPU_INTEGERS = (
    "gpuUtilizationPercent",
    "gpuMemoryUtilizationPercent",
    "gpuTemperatureCelsius",
    "gpuClockSmMhz",
    "gpuClockMemMhz",
    "gpuPcieThroughputRxBytesPerSec",
    "gpuPcieThroughputTxBytesPerSec",
)
_SYSTEM_INTEGERS = ("systemRamUsedBytes", "systemCpuUsagePercent")
# Factors that take the model's quantities to what is rounded, in the order of `_TENTHS` and the others.
_GPU_SCALES = np.array([10.0, 10.0, 100.0, 100.0, 1.0, 1.0, 1.0, 1.0, 1.0])[:, None]

_GPU = (*_GPU_INTEGERS[:3], *_TENTHS, *_GPU_INTEGERS[3:])
SERIES: tuple[str, ...] = (*_GPU, "systemRamTotalBytes", *_SYSTEM_INTEGERS)
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
        keep = pipeline.kept(workload, name, elapsed_ms, now_ms - workload.origin_ms) if workload.faults else None
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
    rows = [readings.ram[None] * (workload.ram_bytes / PAGE_BYTES), readings.cpu[None] * 100.0]
    names: tuple[str, ...] = _SYSTEM_INTEGERS
    values: dict[str, Values] = {"systemRamTotalBytes": np.full(len(elapsed_ms), workload.ram_bytes, dtype=np.int64)}
    present: NDArray[np.bool_] | None = None
    if readings.gpus is not None:
        # One array, so that scaling and rounding are done once.
        served = _served(readings.gpus)
        served *= _GPU_SCALES
        values |= zip(_TENTHS, np.rint(served[:2]) / 10.0, strict=True)
        rows.append(served[2:])
        names += _GPU_INTEGERS
        present = source.present(elapsed_ms) if source.is_ever_lost else None
    integers = np.rint(np.concatenate(rows)).astype(np.int64)
    integers[0] *= PAGE_BYTES
    values |= zip(names, integers, strict=True)
    for name, frames in workload.keyframes:
        if name in values:
            at, level = zip(*frames, strict=True)
            values[name] = np.interp(elapsed_ms, at, level)
    return values, present


def _served(gpus: Gpus) -> Floats:
    """A row for each of `_TENTHS` and `_GPU_INTEGERS`: several GPUs brought together."""
    sums = (gpus.power_w, gpus.limit_w, gpus.rx_bytes_per_s, gpus.tx_bytes_per_s)
    means = (gpus.utilization, gpus.memory, gpus.temperature_celsius, gpus.sm_clock_mhz, gpus.memory_clock_mhz)
    if len(gpus.power_w) > 1:
        sums = tuple(each.sum(axis=0, keepdims=True) for each in sums)
        means = tuple(each.mean(axis=0, keepdims=True) for each in means)
    return np.concatenate([*sums[:2], *means, *sums[2:]])
