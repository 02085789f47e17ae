"""The activity of a workload over its whole life: blocks of repeated segments, whatever device it runs on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from emulator.noise import mix, uniform
from emulator.telemetry.noise import Floats, Ints
from emulator.telemetry.rhythm import Segments, cycle, flat
from emulator.telemetry.shapes import SHAPES, Presence
from emulator.telemetry.workload import Phase, Workload

_RHYTHM, _ACTIVITY, _RATES, _HOST, _MEMORY, _HOLD = range(200, 206)

OPEN_RAMP_MS = 3_600_000
"""A ramp over a phase without end takes an hour, and then stays."""

_RAMP_STEPS = 240
_RAMP_CYCLES = 64
_WALK_DOWN = (0.95, 0.82, 0.69, 0.56, 0.42, 0.28, 0.15, 0.05)
_WALK_DOWN_STEP_MS = 410
_STARVED_LEAD_MS, _STARVED_STEP_MS = 480_000, 2_000


class Levels(Struct, frozen=True):
    """One entry per segment; ratios are 0-1. What gives the power is NaN where it follows from the activity:
    `load`, `usual_power` (of the limit, as the shape has it) and `power` (of the limit, to be met exactly).

    `awake` is 1 while a process keeps the clocks up, 0 when nobody holds the device, and between while it
    winds down.
    """

    length_ms: Ints
    utilization: Floats
    utilization_noise: Floats
    sm: Floats
    tensor: Floats
    dram: Floats
    load: Floats
    usual_power: Floats
    power: Floats
    rx_bytes_per_s: Floats
    tx_bytes_per_s: Floats
    cpu: Floats
    awake: Floats
    lost: Floats
    limit: Floats
    airflow: Floats


class Block(Struct, frozen=True):
    """From `start_ms`, counted from the origin: these segments over and over, until the next block.

    `controlled` blocks run once and let the device hold its slowdown temperature segment by segment.
    """

    start_ms: int
    levels: Levels
    controlled: bool = False


class Rise(Struct, frozen=True):
    """From `start_ms`: a level that goes from `low` to `high` within `lasts_ms` and stays there."""

    start_ms: int
    low: float
    high: float
    lasts_ms: int

    def at(self, t_ms: int) -> float:
        return self.low + (self.high - self.low) * min(1.0, (t_ms - self.start_ms) / max(1, self.lasts_ms))


class Schedule(Struct, frozen=True):
    """Blocks in order of time, and the memory of device (0-1 of usable) and host (0-1) as rises."""

    blocks: tuple[Block, ...]
    gpu_memory: tuple[Rise, ...]
    ram: tuple[Rise, ...]


def joined(blocks: tuple[Block, ...]) -> Levels:
    """All blocks' segments end to end."""
    each = ([getattr(block.levels, name) for block in blocks] for name in Levels.__struct_fields__)
    return Levels(*map(np.concatenate, each))


def schedule(workload: Workload, earliest_ms: int, last_ms: int | None = None) -> Schedule:
    """The schedule of a workload from `earliest_ms` on; times count from the workload's origin.

    Nothing is left out that tells what is shown up to `last_ms`.
    """
    idle = Phase(SHAPES["bare-idle"], None if workload.running_from_ms is None else -earliest_ms)
    phases = [(earliest_ms, idle)]
    if workload.running_from_ms is not None:
        start_ms = 0
        for phase in workload.phases:
            phases.append((start_ms, phase))
            if phase.duration_ms is None:
                break
            start_ms += phase.duration_ms
        else:
            # The instant at which the last one ends is still its own: that is where runs end, and are last seen.
            phases.append((start_ms + 1 if workload.phases else 0, Phase(SHAPES["context"])))
    blocks: list[Block] = []
    gpu_memory: list[Rise] = []
    ram: list[Rise] = []
    before = idle
    for number, (start_ms, phase) in enumerate(phases):
        if phase.duration_ms == 0:
            continue
        if last_ms is not None and last_ms < start_ms:
            break
        end_ms = None if phase.duration_ms is None else phases[number + 1][0]
        # A phase may be over before the clocks have wound down.
        for block in _blocks(workload, number, start_ms, phase, before):
            if (end_ms is not None and block.start_ms >= end_ms) or (last_ms is not None and block.start_ms > last_ms):
                break
            blocks.append(block)
        gpu_memory.append(_gpu_memory(workload, number, start_ms, phase, gpu_memory))
        ram.append(_ram(workload, number, start_ms, phase, ram))
        before = phase
    return Schedule(tuple(blocks), tuple(gpu_memory), tuple(ram))


def _blocks(workload: Workload, number: int, start_ms: int, phase: Phase, before: Phase) -> Iterator[Block]:
    segments = cycle(phase.shape, mix(workload.seed, _RHYTHM, number))
    ends = np.cumsum(segments.length_ms)
    period_ms = int(ends[-1])
    ramp_ms = phase.duration_ms or OPEN_RAMP_MS

    def levels(chosen: Segments, shares: Floats) -> Levels:
        return _levels(workload, number, phase, chosen, shares)

    def unrolled(length_ms: int, piece_ms: int) -> Levels:
        """The first `length_ms` of the phase, no segment longer than `piece_ms`."""
        repeats = np.arange(0, length_ms, period_ms, dtype=np.int64)[:, None]
        edges = np.concatenate([[0], (repeats + ends).ravel()])
        cuts = np.union1d(edges[edges < length_ms], np.arange(0, length_ms, piece_ms, dtype=np.int64))
        lengths = np.diff(cuts, append=length_ms)
        picked = (np.searchsorted(edges, cuts, "right") - 1) % len(ends)
        shares = (cuts + lengths / 2.0) / ramp_ms
        return levels(segments.picked(picked, lengths), shares)

    def repeated(share: float) -> Levels:
        return levels(segments, np.full(len(ends), share))

    starved = phase.shape.airflow_percent < 100.0 or phase.override("airflow_percent") is not None
    ramped = any(o.start != o.end and o.field not in _RISING for o in phase.overrides)
    if phase.shape.presence is Presence.BARE and before.shape.presence is Presence.PROCESS:
        lead = _winding_down(workload, number, phase)
        yield Block(start_ms, lead)
        start_ms += int(lead.length_ms.sum())
    if ramped and ramp_ms <= _RAMP_CYCLES * period_ms:
        piece_ms = max(1000, -(-ramp_ms // _RAMP_STEPS))
        yield Block(start_ms, unrolled(ramp_ms, piece_ms), controlled=starved)
    elif ramped:
        piece_ms = -(-ramp_ms // (_RAMP_CYCLES * period_ms)) * period_ms
        for offset_ms in range(0, ramp_ms, piece_ms):
            yield Block(start_ms + offset_ms, repeated((offset_ms + piece_ms / 2.0) / ramp_ms))
    elif starved:
        lead_ms = min(_STARVED_LEAD_MS, ramp_ms)
        yield Block(start_ms, unrolled(lead_ms, _STARVED_STEP_MS), controlled=True)
        yield Block(start_ms + lead_ms, repeated(0.0))
    else:
        yield Block(start_ms, repeated(0.0))
    if ramped:
        yield Block(start_ms + ramp_ms, repeated(1.0))


def _levels(workload: Workload, number: int, phase: Phase, segments: Segments, shares: Floats) -> Levels:
    shape, seed = phase.shape, workload.seed
    count = len(shares)
    activity = segments.activity
    # Half a percent to two off the published figures: two seeds look alike and are not equal.
    effort = 0.98 + 0.03 * uniform(seed, _ACTIVITY, number)
    traffic = 0.8 + 0.4 * uniform(seed, _RATES, number)
    host = 0.9 + 0.2 * uniform(seed, _HOST, number)

    def overridden(field: str) -> Floats | None:
        override = phase.override(field)
        if override is None:
            return None
        return override.start + (override.end - override.start) * np.minimum(shares, 1.0)

    def level(field: str, varied: float = 1.0) -> Floats:
        exact = overridden(field)
        return exact if exact is not None else np.full(count, getattr(shape, field) * varied)

    def rate(field: str, during: Floats) -> Floats:
        exact = overridden(field)
        if exact is not None:
            return exact
        return np.where(np.isnan(during), getattr(shape, field), during) * traffic

    utilization = level("gpu_utilization_percent")
    # Whoever lowers the utilisation of a shape lowers the activity behind it.
    if overridden("gpu_utilization_percent") is not None and shape.gpu_utilization_percent:
        activity = activity * np.minimum(1.0, utilization / shape.gpu_utilization_percent)
    # Without a process there is nothing to be busy with, whatever a phase says.
    process = 1.0 if shape.presence is Presence.PROCESS else 0.0
    activity = activity * process
    power = overridden("power_percent")
    exact_sm, exact_load = overridden("sm_percent"), overridden("load_percent")
    sm = np.minimum(1.0, (exact_sm if exact_sm is not None else shape.sm_percent * effort) * activity / 100.0)
    activity_given = exact_load is not None or any(o.field in _ACTIVITIES for o in phase.overrides)

    def unless_given(percent: float | None) -> Floats:
        return np.full(count, np.nan if percent is None or activity_given else percent)

    load = unless_given(shape.load_percent) if exact_load is None else exact_load
    cpu = overridden("cpu_percent")
    if cpu is None:
        spinning = 100.0 * shape.busy_cores_per_gpu * max(1, workload.gpus) / max(1, workload.vcpus)
        cpu = np.full(count, min(99.0, (shape.cpu_percent + spinning) * host))
    return Levels(
        length_ms=segments.length_ms,
        utilization=np.fmin(utilization, segments.gpu_utilization_percent) * process / 100.0,
        utilization_noise=np.full(count, shape.utilization_noise / 100.0),
        sm=sm,
        tensor=np.minimum(sm, level("tensor_percent", effort) * activity / 100.0),
        dram=np.minimum(_DRAM_CEILING, level("dram_percent", effort) * activity / 100.0),
        load=np.minimum(1.0, load * activity / 100.0),
        usual_power=unless_given(shape.power_percent) * activity / 100.0,
        power=np.full(count, np.nan) if power is None else power * activity / 100.0,
        rx_bytes_per_s=rate("pcie_rx_bytes_per_s", segments.pcie_rx_bytes_per_s),
        tx_bytes_per_s=rate("pcie_tx_bytes_per_s", segments.pcie_tx_bytes_per_s),
        cpu=np.clip(cpu / 100.0, 0.0, 1.0),
        awake=np.full(count, process),
        lost=np.full(count, 1.0 if shape.presence is Presence.LOST else 0.0),
        limit=level("power_limit_percent") / 100.0,
        airflow=np.maximum(0.05, level("airflow_percent") / 100.0),
    )


def _winding_down(workload: Workload, number: int, phase: Phase) -> Levels:
    """After load the clock stays up for 1.5-2 s, then walks down in about three. Measured on B300."""
    hold_ms = 1500 + int(500 * uniform(workload.seed, _HOLD, number))
    awake = np.array([1.0, *_WALK_DOWN])
    lengths = np.array([hold_ms, *[_WALK_DOWN_STEP_MS] * len(_WALK_DOWN)], dtype=np.int64)
    return replace(_levels(workload, number, phase, flat(lengths), np.zeros(len(lengths))), awake=awake)


def _gpu_memory(workload: Workload, number: int, start_ms: int, phase: Phase, before: list[Rise]) -> Rise:
    varied = 0.98 + 0.03 * uniform(workload.seed, _MEMORY, number)
    percent = phase.shape.gpu_memory_percent
    percent = percent if percent >= 97.0 else percent * varied
    return _rise(start_ms, phase, "gpu_memory_percent", percent, before)


def _ram(workload: Workload, number: int, start_ms: int, phase: Phase, before: list[Rise]) -> Rise:
    varied = 0.9 + 0.2 * uniform(workload.seed, _HOST, number)
    return _rise(start_ms, phase, "ram_percent", phase.shape.ram_percent * varied, before)


def _rise(start_ms: int, phase: Phase, field: str, percent: float, before: list[Rise]) -> Rise:
    whole_ms = phase.duration_ms or OPEN_RAMP_MS
    if override := phase.override(field):
        low, high, lasts_ms = override.start / 100.0, override.end / 100.0, whole_ms
    else:
        low = before[-1].at(start_ms) if before else percent / 100.0
        rise_ms = phase.shape.memory_rise_ms
        high, lasts_ms = percent / 100.0, whole_ms if rise_ms is None else rise_ms
    return Rise(start_ms, min(1.0, max(0.0, low)), min(1.0, max(0.0, high)), lasts_ms)


_DRAM_CEILING = 0.82
_RISING = ("gpu_memory_percent", "ram_percent")
_ACTIVITIES = ("sm_percent", "tensor_percent", "dram_percent")
