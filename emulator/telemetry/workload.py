"""What the telemetry of one run is computed from."""

from __future__ import annotations

from msgspec import Struct

from emulator.hardware.devices import Device
from emulator.scenario.pipeline import PipelineFault
from emulator.telemetry.shapes import QUANTITIES, Shape


class Override(Struct, frozen=True):
    """A quantity of the shape replaced: from `start` to `end` over the phase, in the unit of `field`.

    `field` is one of `Shape` (`gpu_memory_percent`). The level is exact: it takes no variation from the seed.
    """

    field: str
    start: float
    end: float

    def __post_init__(self) -> None:
        if self.field not in QUANTITIES.values():
            raise ValueError(f"{self.field!r} cannot be overridden; {', '.join(QUANTITIES.values())} can")


class Phase(Struct, frozen=True):
    """A stretch of one shape; no duration means to the end. A ramp over an open end takes an hour."""

    shape: Shape
    duration_ms: int | None = None
    overrides: tuple[Override, ...] = ()

    def override(self, field: str) -> Override | None:
        return next((entry for entry in self.overrides if entry.field == field), None)


class Workload(Struct, frozen=True, kw_only=True):
    """Everything that the telemetry of one run depends on.

    Points exist from `exists_from_ms` (None: never) to `until_ms` (None: no end yet), both included. Before
    `running_from_ms` the machine idles; the phases follow one another from there, and after the last the
    process holds its context. `keyframes` replace a served series, by its name on the wire: (milliseconds
    since the start of running, value), in order of time.
    """

    seed: int
    device: Device | None
    gpus: int = 1
    ram_bytes: int
    vcpus: int
    phases: tuple[Phase, ...] = ()
    exists_from_ms: int | None
    running_from_ms: int | None
    until_ms: int | None = None
    keyframes: tuple[tuple[str, tuple[tuple[int, float], ...]], ...] = ()
    disturbances: tuple[PipelineFault, ...] = ()

    def __hash__(self) -> int:
        # What tells workloads apart in practice: hashing every phase takes longer than finding the compiled one.
        return hash((self.seed, self.gpus, self.exists_from_ms, self.running_from_ms, self.until_ms))

    @property
    def origin_ms(self) -> int:
        """The instant from which the model's time counts: the start of running, if it came to that."""
        if self.running_from_ms is not None:
            return self.running_from_ms
        return self.exists_from_ms or 0
