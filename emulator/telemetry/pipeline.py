"""Faults between the device and the reader: which points are seen, and which are stale."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emulator.noise import mix
from emulator.telemetry.noise import Ints, uniform
from emulator.telemetry.workload import FaultKind, PipelineFault, Workload

_LOST = 400


def stale(
    faults: tuple[PipelineFault, ...], names: tuple[str, ...], elapsed_ms: Ints
) -> Iterator[tuple[tuple[str, ...], Ints]]:
    """For each frozen exporter: the series concerned, and the instants whose values they show."""
    for fault in faults:
        within = _within(fault, elapsed_ms)
        if fault.kind is FaultKind.FROZEN and within.any():
            yield fault.series or names, np.where(within, fault.from_ms, elapsed_ms)


def kept(workload: Workload, name: str, elapsed_ms: Ints, now_ms: int) -> NDArray[np.bool_] | None:
    """Where points of the series `name` reach the reader; None if everywhere. Times count from the origin."""
    keep: NDArray[np.bool_] | None = None
    for number, fault in enumerate(workload.faults):
        if (fault.series and name not in fault.series) or fault.kind is FaultKind.FROZEN:
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


def _within(fault: PipelineFault, elapsed_ms: Ints) -> NDArray[np.bool_]:
    within: NDArray[np.bool_] = elapsed_ms >= fault.from_ms
    if fault.until_ms is not None:
        within &= elapsed_ms < fault.until_ms
    return within
