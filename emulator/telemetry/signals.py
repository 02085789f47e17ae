"""The signals of a workload as functions of time: what a host and its GPUs show at given instants."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from emulator.hardware.devices import Device
from emulator.telemetry.axis import Axis
from emulator.telemetry.board import boards
from emulator.telemetry.kept import Kept
from emulator.telemetry.noise import Flags, Floats, Ints, Ticks, curves, number, seeds
from emulator.telemetry.physics import Physics
from emulator.telemetry.schedule import Rise, joined, schedule
from emulator.telemetry.timeline import compile_timeline
from emulator.telemetry.workload import Workload

_CPU, _RAM, _UTILIZATION, _TEMPERATURE, _CLOCK, _RX, _TX = range(300, 307)

# Quantities of a segment in `Signals._table`, those that are computed alike side by side.
_CPU_LEVEL, _CPU_SWING, _RISE_START = 0, 1, 5
_UTILIZATION_LEVEL, _UTILIZATION_SWING, _MEMORY_CLOCK = (slice(row, row + 1) for row in (2, 3, 4))  # rows, as GPUs have
_RISE_LASTS, _RISE_LOW, _RISE_SPAN, _TRAFFIC, _TRAFFIC_SWING = (slice(first, first + 2) for first in range(6, 16, 2))
# Noises of a GPU, after the two of the host.
_BUSY, _HEAT, _RX_TX, _DRIFT = 0, 1, slice(2, 4), 4

_TICK_MS = number(5_000)
"""Of all noise but the power's: one tick for all, so that it is found once."""

_DAY_MS = 86_400_000
_TRICKLE_BYTES_PER_S = number(1_000.0)
_ONE = number(1.0)
_RAM_SWING = number(0.004)
_SENSOR_NOISE_CELSIUS = number(0.6)


class Gpus(NamedTuple):
    """One column per instant, one row per GPU or one for all; ratios are 0-1, nothing is rounded yet.

    `segment` is where in the schedule each instant lies.
    """

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
    segment: Ints


class Readings(NamedTuple):
    """The host's ratios of all cores and of memory, one entry per instant, and its GPUs if it has any."""

    cpu: Floats
    ram: Floats
    gpus: Gpus | None


class Activity(Struct, frozen=True):
    """What only the device's own counters tell: ratios of busy cycles, and what holds the clocks.

    `present` has an entry per instant alone: whether the GPUs answer.
    """

    engine: Floats
    sm: Floats
    tensor: Floats
    dram: Floats
    idle: Flags
    capped: Flags
    throttled: Flags
    present: Flags


class Signals:
    """What a workload shows at instants counted from its origin; built once, then pure.

    Questions come in any order, the instants of one question in order of time.
    """

    def __init__(self, workload: Workload, last_ms: int | None = None) -> None:
        """`last_ms` is the last instant that will be asked for, if there is one."""
        seed, device = workload.seed, workload.device
        board = boards(device, seed, workload.gpus) if device is not None and workload.gpus > 0 else None
        earliest_ms = min(0, (workload.exists_from_ms or 0) - workload.origin_ms) - _DAY_MS
        plan = schedule(workload, earliest_ms if board is None else earliest_ms - board.uptime_ms, last_ms)
        self._axis = Axis(plan.blocks)
        levels = joined(plan.blocks)
        traffic = np.stack([levels.rx_bytes_per_s, levels.tx_bytes_per_s])
        self._table = np.vstack(
            [
                levels.cpu,
                np.minimum(0.25 * levels.cpu, 0.004 + 0.05 * levels.cpu),
                levels.utilization,
                np.minimum(levels.utilization_noise, levels.utilization),
                levels.awake if device is None else _memory_clock_mhz(device, levels.awake),
                _rises(plan.ram, plan.gpu_memory, self._axis.block_start_ms)[:, self._axis.block],
                traffic,
                np.where(traffic < 10e6, 0.6, 0.18),  # a trickle varies more than a stream
            ]
        )
        self._physics: Physics | None = None
        self._seeds = seeds(seed, (_CPU, _RAM), 1)
        if board is not None:
            self._physics = Physics(self._axis, board, compile_timeline(plan, board), seed)
            noisy = [_UTILIZATION, _TEMPERATURE, _RX, _TX] + [_CLOCK] * self._physics.is_ever_limited
            self._seeds = np.concatenate([self._seeds, seeds(seed, noisy, board.count)])
            ceilings = [board.device.pcie_rx_ceiling_bytes_per_s, board.device.pcie_tx_ceiling_bytes_per_s]
            self._ceilings = np.array(ceilings, dtype=np.float64)[:, None, None]
        # Of the levels only what is still asked for: a server keeps the signals of many runs.
        self._busy = np.stack([levels.sm, levels.tensor, levels.dram])
        self._idle = levels.awake < 1.0
        self._present = levels.lost == 0.0
        self.is_ever_lost = not bool(self._present.all())
        own = (self._table, self._busy, self._idle, self._present)
        physics_bytes = 0 if self._physics is None else self._physics.nbytes
        self.nbytes = sum(array.nbytes for array in own) + self._axis.nbytes + physics_bytes
        """The memory that it takes, but for small change."""

    def readings(self, elapsed_ms: Ints) -> Readings:
        """Everything that is served."""
        t_ms = elapsed_ms.astype(np.float64)
        physics = self._physics
        # Where power is the mean of a second, that second's start is looked up in the same pass.
        places = self._axis.locate(t_ms if physics is None else physics.times(t_ms))
        segment = places.segment[-len(t_ms) :]
        level = self._table.take(segment, axis=1)
        noises = [(self._seeds, Ticks(t_ms, _TICK_MS))]
        if physics is not None:
            noises.append((physics.seeds, physics.ticks(t_ms)))
        wobbles, *noise = curves(*noises)
        wobble = wobbles.linear()
        cpu = level[_CPU_LEVEL] + wobble[0] * level[_CPU_SWING]
        risen = np.minimum(_ONE, (t_ms - level[_RISE_START]) / level[_RISE_LASTS])
        risen *= level[_RISE_SPAN]
        risen += level[_RISE_LOW]
        ram = risen[0] * (_ONE + _RAM_SWING * wobble[1])
        gpus = None
        if physics is not None:
            wobble = wobble[2:].reshape(-1, physics.board.count, len(t_ms))
            of_gpus = physics.levels(segment)
            power_w, energy_j, temperature = physics.power(places, noise[0], of_gpus)
            temperature += _SENSOR_NOISE_CELSIUS * wobble[_HEAT]
            utilization = level[_UTILIZATION_LEVEL] + level[_UTILIZATION_SWING] * wobble[_BUSY]
            traffic = _ONE + level[_TRAFFIC_SWING, None] * wobble[_RX_TX]
            traffic *= level[_TRAFFIC, None]
            np.maximum(traffic, _TRICKLE_BYTES_PER_S, out=traffic)
            rx, tx = np.minimum(traffic, self._ceilings, out=traffic)
            gpus = Gpus(
                utilization=np.minimum(utilization, _ONE, out=utilization),
                memory=risen[1:],
                power_w=power_w,
                limit_w=physics.limit_w(of_gpus),
                energy_j=energy_j,
                temperature_celsius=temperature,
                sm_clock_mhz=physics.clock_mhz(of_gpus, temperature, wobble[_DRIFT:]),
                memory_clock_mhz=level[_MEMORY_CLOCK],
                rx_bytes_per_s=rx,
                tx_bytes_per_s=tx,
                segment=segment,
            )
        return Readings(np.minimum(_ONE, cpu), np.minimum(_ONE, ram), gpus)

    def activity(self, t_ms: Ints, gpus: Gpus) -> Activity:
        """What goes beyond the served series; `gpus` are the readings of the same instants."""
        assert self._physics is not None, "readings of GPUs come from a machine that has some"  # noqa: S101
        elapsed_ms = t_ms.astype(np.float64)
        segment, swing = gpus.segment, self._physics.swing(elapsed_ms)
        sm, tensor, dram = self._busy[:, segment]
        sm = np.clip(sm * (1.0 + 0.03 * swing), 0.0, 1.0)
        hot = gpus.temperature_celsius >= self._physics.board.device.slowdown_celsius
        capped, throttled = self._physics.holds(segment)
        return Activity(
            engine=np.minimum(gpus.utilization, 0.25 * gpus.utilization + 0.75 * sm),
            sm=sm,
            tensor=np.minimum(sm, tensor * (1.0 + 0.04 * swing)),
            dram=np.minimum(0.85, dram * (1.0 + 0.03 * swing)),
            idle=np.broadcast_to(self._idle[segment], sm.shape),
            capped=capped,
            throttled=throttled | hot,
            present=self._present[segment],
        )

    def energy_j(self, t_ms: Ints) -> Floats:
        """Energy of each GPU since the driver's start, in joules: what power is the slope of."""
        if self._physics is None:
            return np.empty((0, len(t_ms)))
        return self._physics.energy_j(t_ms.astype(np.float64))

    def present(self, t_ms: Ints) -> Flags:
        """Where the GPUs answer: not once they have fallen off the bus."""
        there: Flags = self._present[self._axis.locate(t_ms.astype(np.float64)).segment]
        return there


def _memory_clock_mhz(device: Device, awake: Floats) -> Floats:
    """At full speed as soon as somebody holds the device; HBM never leaves it."""
    return np.where(awake > 0.0, float(device.memory_max_mhz), float(device.memory_idle_mhz))


def _rises(ram: tuple[Rise, ...], gpu_memory: tuple[Rise, ...], block_start_ms: Floats) -> Floats:
    """Of each block: the start of its phase, then how long, from where and how far the two memories rise."""
    starts = np.array([rise.start_ms for rise in ram], dtype=np.float64)  # both rise with the phases
    both = [[(max(1, rise.lasts_ms), rise.low, rise.high - rise.low) for rise in rises] for rises in (ram, gpu_memory)]
    rows = np.array(both).transpose(2, 0, 1).reshape(6, -1)
    return np.vstack([starts, rows])[:, starts.searchsorted(block_start_ms, "right") - 1]


MAX_KEPT_BYTES = 128 << 20
"""For the compiled signals of all workloads. Those of a run of some minutes on one GPU take a third of a MiB."""

_ADMITTED_OF_PAGE = 8

_kept: Kept[Workload, Signals] = Kept(MAX_KEPT_BYTES)
_passed_by = count(1)


def signals(workload: Workload) -> Signals:
    """The signals of a workload. The last ones used are kept, whenever their runs started or end."""
    key = _timeless(workload)
    found = _kept.get(key)
    if found is None:
        found = Signals(key)
        _kept.put(key, found)
    return found


def signals_until(workload: Workload, last_ms: int) -> Signals:
    """The signals of a workload as far as `last_ms`, counted from its origin, for who asks many workloads in turn.

    Whoever goes round more workloads than fit would push out each just before it comes round again. So once there is
    no room, few push out others; the rest is compiled as far as it is needed, and forgotten.
    """
    key = _timeless(workload)
    found = _kept.get(key)
    if found is not None:
        return found
    if not _kept.has_room and next(_passed_by) % _ADMITTED_OF_PAGE:
        return Signals(key, last_ms)
    return signals(workload)


def _timeless(workload: Workload) -> Workload:
    """What signals depend on: not on when the run is, nor on what is done to its series afterwards."""
    exists_ms = workload.exists_from_ms
    return replace(
        workload,
        exists_from_ms=None if exists_ms is None else exists_ms - workload.origin_ms,
        running_from_ms=None if workload.running_from_ms is None else 0,
        until_ms=None,
        keyframes=(),
        disturbances=(),
    )
