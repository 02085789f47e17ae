"""The fields that dcgm-exporter shows for one device at one instant, as DCGM gives them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from emulator.scenario.pipeline import FaultKind
from emulator.series_names import SERIES_NAMES
from emulator.telemetry import pipeline
from emulator.telemetry.noise import Floats, Ints
from emulator.telemetry.signals import Signals, signals_until
from emulator.telemetry.workload import Workload

Value: TypeAlias = int | float | None

IDLE, POWER_CAP, HARDWARE_SLOWDOWN, SOFTWARE_THERMAL = 0x1, 0x4, 0x8, 0x20
"""Bits of DCGM_FI_DEV_CLOCKS_EVENT_REASONS."""


class Counters(Struct, frozen=True):
    """Values by field name; None is a field that the device does not have, for which no line is written."""

    values: Mapping[str, Value]

    def __getitem__(self, field: str) -> Value:
        return self.values[field]

    def replaced(self, values: Mapping[str, Value]) -> Counters:
        """The same with other `values` of some fields."""
        return Counters(MappingProxyType({**self.values, **values}))


_FIELDS = {
    "gpuUtilizationPercent": ("DCGM_FI_DEV_GPU_UTIL",),
    "gpuMemoryUtilizationPercent": ("DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_USED"),
    "gpuTemperatureCelsius": ("DCGM_FI_DEV_GPU_TEMP",),
    "gpuPowerWatt": ("DCGM_FI_DEV_POWER_USAGE",),
    "gpuClockSmMhz": ("DCGM_FI_DEV_SM_CLOCK",),
    "gpuClockMemMhz": ("DCGM_FI_DEV_MEM_CLOCK",),
    "gpuPcieThroughputRxBytesPerSec": ("DCGM_FI_PROF_PCIE_RX_BYTES",),
    "gpuPcieThroughputTxBytesPerSec": ("DCGM_FI_PROF_PCIE_TX_BYTES",),
}
"""What a served series is made of, for disturbances that concern a few of them; the power limit is not exported."""


def counters_at(workload: Workload, now_ms: int) -> tuple[Counters, ...]:
    """One entry per GPU that answers at `now_ms`: none before the machine exists, after it, or once lost.

    As the pipeline disturbs it, too, except by what is late: a page has no points of the past.
    """
    first_ms, last_ms = workload.exists_from_ms, workload.until_ms
    if workload.device is None or first_ms is None or now_ms < first_ms or (last_ms is not None and now_ms > last_ms):
        return ()
    t_ms = np.array([now_ms - workload.origin_ms], dtype=np.int64)
    source = signals_until(workload, int(t_ms[0]))
    counters = _counters(workload, source, t_ms)
    seen = tuple(each for each in workload.disturbances if each.kind is not FaultKind.LATE)
    return _disturbed(replace(workload, disturbances=seen), source, t_ms, counters) if seen else counters


def _disturbed(workload: Workload, source: Signals, t_ms: Ints, counters: tuple[Counters, ...]) -> tuple[Counters, ...]:
    """`counters` with stale values, and without what does not reach the reader."""
    for names, seen_ms in pipeline.stale(workload, SERIES_NAMES, t_ms):
        seen = _counters(workload, source, seen_ms)
        if len(names) == len(SERIES_NAMES):  # the exporter as a whole, a GPU that it has lost since included
            counters = seen
            continue
        stale = [field for name in names for field in _FIELDS.get(name, ())]
        counters = tuple(
            now.replaced({field: then[field] for field in stale}) for now, then in zip(counters, seen, strict=False)
        )
    gone = [name for name in SERIES_NAMES if not _is_kept(workload, name, t_ms)]
    if len(gone) == len(SERIES_NAMES):
        return ()
    blank = {field: None for name in gone for field in _FIELDS.get(name, ())}
    return tuple(each.replaced(blank) for each in counters)


def _is_kept(workload: Workload, name: str, t_ms: Ints) -> bool:
    keep = pipeline.kept(workload, name, t_ms, int(t_ms[0]))
    return keep is None or bool(keep[0])


def _counters(workload: Workload, source: Signals, t_ms: Ints) -> tuple[Counters, ...]:
    """The same undisturbed; `t_ms` is one instant from the workload's origin."""
    device = workload.device
    if device is None:
        return ()
    gpus = source.readings(t_ms).gpus
    if gpus is None:
        return ()
    activity = source.activity(t_ms, gpus)
    if not activity.present[0]:
        return ()

    def value(of: Floats, gpu: int) -> float:
        return float(of[gpu if len(of) > 1 else 0, 0])

    shown = []
    for gpu in range(workload.gpus):
        used_mib = round(value(gpus.memory, gpu) * device.usable_mib)
        celsius = round(value(gpus.temperature_celsius, gpu))
        power_w, limit_w = value(gpus.power_w, gpu), value(gpus.limit_w, gpu)
        dram = value(activity.dram, gpu)
        # Row remapping came with Ampere; the T4's generation has none.
        rows = None if device.key == "t4" else 0
        values: dict[str, Value] = {
            "DCGM_FI_DEV_SM_CLOCK": int(value(gpus.sm_clock_mhz, gpu)),
            "DCGM_FI_DEV_MEM_CLOCK": int(value(gpus.memory_clock_mhz, gpu)),
            "DCGM_FI_DEV_MEMORY_TEMP": celsius + _memory_margin(power_w / limit_w) if device.hbm else 0,
            "DCGM_FI_DEV_GPU_TEMP": celsius,
            "DCGM_FI_DEV_POWER_USAGE": round(power_w, 3),
            "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": int(value(gpus.energy_j, gpu) * 1000.0),
            "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": 0,
            "DCGM_FI_DEV_GPU_UTIL": round(value(gpus.utilization, gpu) * 100.0),
            "DCGM_FI_DEV_MEM_COPY_UTIL": round(100.0 * min(value(gpus.utilization, gpu), 1.1 * dram)),
            "DCGM_FI_DEV_ENC_UTIL": 0,
            "DCGM_FI_DEV_DEC_UTIL": 0,
            "DCGM_FI_DEV_XID_ERRORS": 0,
            "DCGM_FI_DEV_FB_FREE": device.usable_mib - used_mib,
            "DCGM_FI_DEV_FB_USED": used_mib,
            "DCGM_FI_DEV_FB_RESERVED": device.reserved_mib,
            "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL": None,
            "DCGM_FI_DEV_VGPU_LICENSE_STATUS": 0,
            "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS": rows,
            "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS": rows,
            "DCGM_FI_DEV_ROW_REMAP_FAILURE": rows,
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE": value(activity.engine, gpu),
            "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": value(activity.tensor, gpu),
            "DCGM_FI_PROF_DRAM_ACTIVE": dram,
            "DCGM_FI_PROF_PCIE_TX_BYTES": int(value(gpus.tx_bytes_per_s, gpu)),
            "DCGM_FI_PROF_PCIE_RX_BYTES": int(value(gpus.rx_bytes_per_s, gpu)),
            "DCGM_FI_PROF_SM_ACTIVE": value(activity.sm, gpu),
            "DCGM_FI_DEV_CLOCKS_EVENT_REASONS": (
                IDLE * bool(activity.idle[gpu, 0])
                | POWER_CAP * bool(activity.capped[gpu, 0])
                | (HARDWARE_SLOWDOWN | SOFTWARE_THERMAL) * bool(activity.throttled[gpu, 0])
            ),
        }
        shown.append(Counters(MappingProxyType(values)))
    return tuple(shown)


def _memory_margin(load: float) -> int:
    """HBM runs 12 degrees above the core at idle, and converges with it under load. Estimated."""
    return round(12.0 - 10.0 * min(1.0, max(0.0, load)))
