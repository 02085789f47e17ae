"""What goes wrong between a GPU and whoever reads its metrics, the workload being well."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class FaultKind(StrEnum):
    """`missing`: samples are lost (`ratio` of them); `frozen`: the exporter repeats what it had at the start;
    `late`: samples become visible only `delay_ms` after their instant; `dropped`: a series is not there.
    """

    MISSING = "missing"
    FROZEN = "frozen"
    LATE = "late"
    DROPPED = "dropped"


class PipelineFault(Struct, frozen=True, kw_only=True):
    """One disturbance of the metrics pipeline; times count from the start of running, the end is open.

    No `from_ms` means from the first point on. `series` are names of the wire; empty means all.
    """

    kind: FaultKind
    from_ms: int | None = None
    until_ms: int | None = None
    series: tuple[str, ...] = ()
    ratio: float = 1.0
    delay_ms: int = 0
