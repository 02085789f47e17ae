"""The twelve served series, sampled: signals of all GPUs brought together, rounded, overridden, disturbed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from emulator.series_names import GPU_SERIES, SERIES_NAMES, SYSTEM_SERIES
from emulator.telemetry import pipeline
from emulator.telemetry.noise import Flags, Floats, Ints, number
from emulator.telemetry.signals import Gpus, Readings, signals
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Workload

Values: TypeAlias = NDArray[Any]
"""float64 for watts and keyframes, int64 for the rest."""

PAGE_BYTES = 4096
_PAGE_BYTES = np.array(PAGE_BYTES)
_TEN = number(10.0)


class Series(Struct, frozen=True, eq=False):
    """Points oldest first; instants are milliseconds since the epoch."""

    times_ms: Ints
    values: Values

    def __len__(self) -> int:
        return len(self.times_ms)


_TENTHS = ("gpuPowerWatt", "gpuPowerLimitWatt")
_GPU_INTEGERS = tuple(name for name in GPU_SERIES if name not in _TENTHS)
_RAM_TOTAL, _RAM_USED, _CPU = SYSTEM_SERIES
_ROWS = (_RAM_USED, _CPU, *_GPU_INTEGERS, *_TENTHS)
"""What is computed, in an order of its own: integers first, the host's before those of GPUs."""
_INTEGERS = 2 + len(_GPU_INTEGERS)
_AT_ONCE = 32_768
"""So many instants of one GPU are computed at once. Arrays that are larger are given back to the system after each use,
and to be given them anew takes longer than to compute what is in them."""

_NO_VALUES: Values = np.empty(0, dtype=np.int64)


def sample(workload: Workload, window: Window, now_ms: int) -> dict[str, Series]:
    """Every series at the window's instants, as far as the machine exists and `now_ms` has come.

    A value belongs to its instant: it does not depend on the window, the step, or what was asked before.
    Several GPUs: percentages, temperatures and clocks are means, watts and bytes are sums. GPU series are
    empty without a GPU, and while it is lost.
    """
    times_ms = _instants(workload, window, now_ms)
    if not len(times_ms):
        return dict.fromkeys(SERIES_NAMES, Series(times_ms, _NO_VALUES))
    elapsed_ms = times_ms - workload.origin_ms
    values, present = _values(workload, elapsed_ms)
    if workload.disturbances:
        return _disturbed(workload, times_ms, now_ms, values, present)
    none = Series(times_ms[:0], _NO_VALUES)
    sampled = {name: Series(times_ms, values[name]) if name in values else none for name in SERIES_NAMES}
    if present is not None:
        shown_ms = times_ms[present]
        sampled |= {name: Series(shown_ms, values[name][present]) for name in GPU_SERIES}
    return sampled


def _disturbed(
    workload: Workload, times_ms: Ints, now_ms: int, values: dict[str, Values], present: Flags | None
) -> dict[str, Series]:
    """The series as they come through the disturbed pipeline."""
    elapsed_ms = times_ms - workload.origin_ms
    presence = dict.fromkeys(GPU_SERIES, present)
    for names, seen_ms in pipeline.stale(workload, SERIES_NAMES, elapsed_ms):
        seen, there = _values(workload, seen_ms)
        values |= {name: seen[name] for name in names if name in seen}
        presence |= {name: there for name in names if name in presence}  # a hung exporter shows a lost GPU, too
    sampled = dict.fromkeys(SERIES_NAMES, Series(times_ms[:0], _NO_VALUES))
    for name, of in values.items():
        keep, there = pipeline.kept(workload, name, elapsed_ms, now_ms - workload.origin_ms), presence.get(name)
        if there is not None:
            keep = there if keep is None else keep & there
        sampled[name] = Series(times_ms, of) if keep is None else Series(times_ms[keep], of[keep])
    return sampled


def _instants(workload: Workload, window: Window, now_ms: int) -> Ints:
    if workload.exists_from_ms is None:
        return np.empty(0, dtype=np.int64)
    last_ms = now_ms if workload.until_ms is None else min(now_ms, workload.until_ms)
    span = window.clipped(workload.exists_from_ms, last_ms)
    return np.arange(span.start, span.stop, span.step, dtype=np.int64)


def _values(workload: Workload, elapsed_ms: Ints) -> tuple[dict[str, Values], Flags | None]:
    """Each series that this machine has, and where its GPUs are present (None: everywhere)."""
    source = signals(workload)
    room = _AT_ONCE // max(1, workload.gpus)
    if len(elapsed_ms) <= room:
        rows = _rows(source.readings(elapsed_ms))
    else:
        pieces = (elapsed_ms[first : first + room] for first in range(0, len(elapsed_ms), room))
        rows = np.concatenate([_rows(source.readings(piece)) for piece in pieces], axis=1)
    rows *= _scales(workload.ram_bytes)[: len(rows)]
    np.rint(rows, out=rows)
    integers = rows[:_INTEGERS].astype(np.int64)
    integers[0] *= _PAGE_BYTES
    values: dict[str, Values] = dict(zip(_ROWS, integers, strict=False))
    values[_RAM_TOTAL] = np.full(len(elapsed_ms), workload.ram_bytes, dtype=np.int64)
    present: Flags | None = None
    if len(rows) > _INTEGERS:
        tenths = rows[_INTEGERS:]
        tenths /= _TEN
        values |= zip(_TENTHS, tenths, strict=True)
        present = source.present(elapsed_ms) if source.is_ever_lost else None
    for name, frames in workload.keyframes:
        if name in values:
            at, level = zip(*frames, strict=True)
            values[name] = np.interp(elapsed_ms, at, level)
    return values, present


@lru_cache(maxsize=64)
def _scales(ram_bytes: int) -> Floats:
    """Factors, one for each of `_ROWS`, that take the model's quantities to what is rounded: for memory, pages."""
    return np.array([ram_bytes / PAGE_BYTES, 100.0, 100.0, 100.0, 1.0, 1.0, 1.0, 1.0, 1.0, 10.0, 10.0])[:, None]


def _rows(readings: Readings) -> Floats:
    """What `_ROWS` names, as one array: so that scaling and rounding are done once."""
    cpu, ram, gpus = readings
    return np.concatenate([ram[None], cpu[None], *(() if gpus is None else _together(gpus))])


def _together(gpus: Gpus) -> tuple[Floats, ...]:
    """A row for each of `_GPU_INTEGERS` and `_TENTHS`: several GPUs brought together."""
    means = (gpus.utilization, gpus.memory, gpus.temperature_celsius, gpus.sm_clock_mhz, gpus.memory_clock_mhz)
    sums = (gpus.rx_bytes_per_s, gpus.tx_bytes_per_s, gpus.power_w, gpus.limit_w)
    if len(gpus.power_w) > 1:
        means = tuple(each.mean(axis=0, keepdims=True) for each in means)
        sums = tuple(each.sum(axis=0, keepdims=True) for each in sums)
    return means + sums
