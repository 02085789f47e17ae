"""Faults between the device and the reader: which points are seen, and which are stale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emulator.noise import mix
from emulator.scenario.pipeline import FaultKind, PipelineFault
from emulator.telemetry.noise import Ints, uniform
from emulator.telemetry.workload import Workload

_LOST = 400


def stale(workload: Workload, names: tuple[str, ...], elapsed_ms: Ints) -> Iterator[tuple[list[str], Ints]]:
    """For series whose exporter was frozen: their names, and the instants whose values they show.

    Where several faults hold, the first that began does: a frozen exporter cannot freeze again.
    """
    frozen = [fault for fault in workload.disturbances if fault.kind is FaultKind.FROZEN]
    alike: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name in names:
        alike[tuple(number for number, fault in enumerate(frozen) if _concerns(fault, name))].append(name)
    for numbers, concerned in alike.items():
        seen_ms = elapsed_ms
        for fault in (frozen[number] for number in numbers):
            since_ms = _first_ms(workload) if fault.from_ms is None else fault.from_ms
            seen_ms = np.where(_within(fault, elapsed_ms), np.minimum(seen_ms, since_ms), seen_ms)
        if np.any(seen_ms != elapsed_ms):
            yield concerned, seen_ms


def kept(workload: Workload, name: str, elapsed_ms: Ints, now_ms: int) -> NDArray[np.bool_] | None:
    """Where points of the series `name` reach the reader; None if everywhere. Times count from the origin."""
    keep: NDArray[np.bool_] | None = None
    for number, fault in enumerate(workload.disturbances):
        if fault.kind is FaultKind.FROZEN or not _concerns(fault, name):
            continue
        gone = _within(fault, elapsed_ms)
        if fault.kind is FaultKind.LATE:
            gone &= elapsed_ms + fault.delay_ms > now_ms
        elif fault.kind is FaultKind.MISSING and fault.ratio < 1.0:
            # Whole scrapes are lost, so all series miss the same second.
            key = np.array([mix(workload.seed, _LOST, number)], dtype=np.uint64)
            gone &= uniform(key, elapsed_ms // 1000) < fault.ratio
        keep = ~gone if keep is None else keep & ~gone
    return keep


def _concerns(fault: PipelineFault, name: str) -> bool:
    return not fault.series or name in fault.series


def _within(fault: PipelineFault, elapsed_ms: Ints) -> NDArray[np.bool_]:
    within = np.ones(len(elapsed_ms), dtype=np.bool_)
    if fault.from_ms is not None:
        within &= elapsed_ms >= fault.from_ms
    if fault.until_ms is not None:
        within &= elapsed_ms < fault.until_ms
    return within


def _first_ms(workload: Workload) -> int:
    """The instant of the first point."""
    return (workload.exists_from_ms or 0) - workload.origin_ms
