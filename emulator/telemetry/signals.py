"""The signals of a workload as functions of time: what a host and its GPUs show at given instants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from emulator.telemetry.axis import Level, axis
from emulator.telemetry.board import boards
from emulator.telemetry.noise import Flags, Floats, Ints, seeds, smooth
from emulator.telemetry.physics import Physics
from emulator.telemetry.schedule import schedule
from emulator.telemetry.timeline import compile_timeline
from emulator.telemetry.workload import Workload

_CPU, _RAM, _UTILIZATION, _TEMPERATURE, _CLOCK, _RX, _TX = range(300, 307)

_TICK_MS = 5_000
"""Of all noise but the power's: one tick for all, so that it is found once."""

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Gpus:
    """One column per instant, one row per GPU or one for all; ratios are 0-1, nothing is rounded yet."""

    utilization: Floats
    memory: Floats
    power_w: Floats
    limit_w: Floats
    energy_j: Floats
    temperature_celsius: Floats
    sm_clock_mhz: Floats
    memory_clock_mhz: Floats
    rx_bytes_per_s: Floats
    tx_bytes_per_s: Floats


@dataclass(frozen=True, slots=True)
class Readings:
    """The host's ratios of all cores and of memory, one entry per instant, and its GPUs if it has any."""

    cpu: Floats
    ram: Floats
    gpus: Gpus | None


@dataclass(frozen=True, slots=True)
class Activity:
    """What only the device's own counters tell: ratios of busy cycles, and what holds the clocks."""

    engine: Floats
    sm: Floats
    tensor: Floats
    dram: Floats
    idle: Flags
    capped: Flags
    throttled: Flags


class Signals:
    """What a workload shows at instants counted from its origin, in any order; built once, then pure."""

    def __init__(self, workload: Workload) -> None:
        seed, device = workload.seed, workload.device
        board = boards(device, seed, workload.gpus) if device is not None and workload.gpus > 0 else None
        earliest_ms = min(0, (workload.exists_from_ms or 0) - workload.origin_ms) - _DAY_MS
        plan = schedule(workload, earliest_ms if board is None else earliest_ms - board.uptime_ms)
        self._axis, self._levels = axis(plan.blocks)
        self._ram, self._memory = Level.of(plan.ram), Level.of(plan.gpu_memory)
        rows = ("cpu", "utilization", "utilization_noise", "rx_bytes_per_s", "tx_bytes_per_s", "awake")
        self._rows = np.stack([getattr(self._levels, row) for row in rows])
        self._seeds = seeds(seed, (_CPU, _RAM), 1)
        self._physics: Physics | None = None
        if board is not None:
            self._physics = Physics(self._axis, board, compile_timeline(plan, board), seed)
            gpu_signals = (_UTILIZATION, _TEMPERATURE, _CLOCK, _RX, _TX)
            self._seeds = np.concatenate([self._seeds, seeds(seed, gpu_signals, board.count)])
        self.is_ever_lost = bool(self._levels.lost.any())

    def readings(self, t_ms: Ints) -> Readings:
        """Everything that is served."""
        segment = self._axis.locate(t_ms).segment
        cpu, utilization, blur, rx, tx, awake = np.take(self._rows, segment, axis=1)
        wobble = smooth(self._seeds, t_ms, _TICK_MS)
        cpu += wobble[0] * np.minimum(0.25 * cpu, 0.004 + 0.05 * cpu)
        ram = self._ram.at(t_ms) * (1.0 + 0.004 * wobble[1])
        gpus = None
        if physics := self._physics:
            device = physics.board.device
            busy, heat, clock, received, sent = wobble[2:].reshape(5, physics.board.count, -1)
            power_w, energy_j, temperature = physics.power(t_ms)
            temperature += 0.6 * heat
            gpus = Gpus(
                utilization=np.clip(utilization + np.minimum(blur, utilization) * busy, 0.0, 1.0),
                memory=self._memory.at(t_ms)[None],
                power_w=power_w,
                limit_w=physics.limit_w(segment),
                energy_j=energy_j,
                temperature_celsius=temperature,
                sm_clock_mhz=physics.clock_mhz(segment, temperature, clock),
                memory_clock_mhz=np.where(awake > 0.0, device.memory_max_mhz, device.memory_idle_mhz)[None],
                rx_bytes_per_s=_traffic(rx, received, device.pcie_rx_ceiling_bytes_per_s),
                tx_bytes_per_s=_traffic(tx, sent, device.pcie_tx_ceiling_bytes_per_s),
            )
        return Readings(np.minimum(1.0, cpu), np.minimum(1.0, ram), gpus)

    def activity(self, t_ms: Ints, gpus: Gpus) -> Activity:
        """What goes beyond the served series; `gpus` are the readings of the same instants."""
        assert self._physics is not None, "readings of GPUs come from a machine that has some"  # noqa: S101
        segment = self._axis.locate(t_ms).segment
        levels, swing = self._levels, self._physics.swing(t_ms)
        sm = np.clip(levels.sm[segment] * (1.0 + 0.03 * swing), 0.0, 1.0)
        hot = gpus.temperature_celsius >= self._physics.board.device.slowdown_celsius
        capped, throttled = self._physics.holds(segment)
        return Activity(
            engine=np.minimum(gpus.utilization, 0.25 * gpus.utilization + 0.75 * sm),
            sm=sm,
            tensor=np.minimum(sm, levels.tensor[segment] * (1.0 + 0.04 * swing)),
            dram=np.minimum(0.85, levels.dram[segment] * (1.0 + 0.03 * swing)),
            idle=np.broadcast_to(levels.awake[segment] < 1.0, sm.shape),
            capped=capped,
            throttled=throttled | hot,
        )

    def energy_j(self, t_ms: Ints) -> Floats:
        """Energy of each GPU since the driver's start, in joules: what power is the slope of."""
        if self._physics is None:
            return np.empty((0, len(t_ms)))
        return self._physics.energy_j(t_ms)

    def present(self, t_ms: Ints) -> Flags:
        """Where the GPUs answer: not once they have fallen off the bus."""
        there: Flags = self._levels.lost[self._axis.locate(t_ms).segment] == 0.0
        return there


def _traffic(level: Floats, swing: Floats, ceiling: int) -> Floats:
    """Bytes per second; a trickle varies more than a stream, and neither stops."""
    return np.clip(level * (1.0 + np.where(level < 10e6, 0.6, 0.18) * swing), 1_000.0, ceiling)


def signals(workload: Workload) -> Signals:
    """The signals of a workload. The last ones used are kept, whenever their runs started or end."""
    exists_ms = workload.exists_from_ms
    return _signals(
        replace(
            workload,
            exists_from_ms=None if exists_ms is None else exists_ms - workload.origin_ms,
            running_from_ms=None if workload.running_from_ms is None else 0,
            until_ms=None,
            keyframes=(),
            faults=(),
        )
    )


_signals = lru_cache(maxsize=128)(Signals)
