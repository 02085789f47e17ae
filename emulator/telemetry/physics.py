"""Energy, power, temperature and clocks of a workload's boards at given instants."""

from __future__ import annotations

import numpy as np

from emulator.telemetry.axis import Axis, Place
from emulator.telemetry.board import Boards
from emulator.telemetry.noise import Flags, Floats, Ints, seeds, spline
from emulator.telemetry.timeline import LEAKAGE, TAUS_MS, Timeline

_POWER = 320

BOXCAR_MS = 1000
"""Board power is the mean of the last second. Source: arXiv 2312.02741; GA100 shows the moment's instead."""

_DRIFT_MHZ_PER_K, _DRIFT_FROM_CELSIUS = 3.5, 60.0
"""A capped clock falls as the board warms. Measured on V100."""

_LEAKAGE_J_PER_W = LEAKAGE * TAUS_MS[3] / 1000.0
_PER_MS = -1.0 / TAUS_MS[:, None]
_HEAT, _LEAK = slice(0, 3), slice(3, 4)


class Physics:
    """A timeline with noise upon it. Rows of the answers are GPUs, columns instants."""

    def __init__(self, along: Axis, board: Boards, line: Timeline, seed: int) -> None:
        self.board = board
        self._axis, self._line = along, line
        self._seeds = seeds(seed, (_POWER,), board.count)
        # GA100 lets through what the others' mean over a second hides.
        self._tick_ms, self._edge_s = (100, 0.2) if board.device.instantaneous_power else (1000, 1.0)
        self._tick_s = self._tick_ms / 1000.0
        noise_j = _noise_w(line, board) * (self._tick_s / 2.0)
        self._energy = np.stack([line.segment_energy_j, line.power_w, noise_j])
        limited = line.draw.capped | line.draw.throttled
        self._clock = np.stack([line.draw.clock_mhz, limited.astype(np.float64)])

    def power(self, t_ms: Ints) -> tuple[Floats, Floats, Floats]:
        """Reported watts, joules since the driver's start, and degrees Celsius without the sensor's noise."""
        count = len(t_ms)
        if self.board.device.instantaneous_power:
            place = self._axis.locate(t_ms)
            energy_j, power_w = self._energy_and_slope(t_ms, place)
        else:
            both = np.concatenate([t_ms, t_ms - BOXCAR_MS])
            place = self._axis.locate(both)
            energies, _ = self._energy_and_slope(both, place, slope=False)
            energy_j = energies[:, :count]
            power_w = (energy_j - energies[:, count:]) / (BOXCAR_MS / 1000.0)
            place = place.first(count)
        die, package, sink = self._terms(place, _HEAT)
        temperature: Floats = die + package
        temperature += sink
        temperature += self.board.ambient_celsius
        return power_w, energy_j, temperature

    def energy_j(self, t_ms: Ints) -> Floats:
        """Energy since the driver's start."""
        return self._energy_and_slope(t_ms, self._axis.locate(t_ms), slope=False)[0]

    def limit_w(self, segment: Ints) -> Floats:
        return np.take(self._line.draw.limit_w, segment, axis=1)

    def clock_mhz(self, segment: Ints, temperature: Floats, wobble: Floats) -> Floats:
        """The SM clock on its grid, as the driver shows it; `wobble` is noise in [-1, 1]."""
        device = self.board.device
        clock_mhz, limited = np.take(self._clock, segment, axis=2)
        clock_mhz += limited * (12.0 * wobble - _DRIFT_MHZ_PER_K * (temperature - _DRIFT_FROM_CELSIUS))
        np.clip(clock_mhz, device.sm_idle_mhz, device.sm_max_mhz, out=clock_mhz)
        clock_mhz //= device.clock_step_mhz
        clock_mhz *= device.clock_step_mhz
        shown: Floats = np.trunc(clock_mhz)
        return shown

    def swing(self, t_ms: Ints) -> Floats:
        """The noise of power in [-1, 1], which activity follows."""
        return spline(self._seeds, t_ms, self._tick_ms)[1] / 2.0

    def holds(self, segment: Ints) -> tuple[Flags, Flags]:
        """Where the power limit, and where the slowdown temperature, holds the clocks down."""
        return self._line.draw.capped[:, segment], self._line.draw.throttled[:, segment]

    def _terms(self, place: Place, which: slice) -> Floats:
        """Thermal terms [term, GPU, instant]: kelvins above ambient; the last is watts that feed leakage."""
        line, block, segment = self._line, place.block, place.segment
        state = line.block_state[which][..., block]
        if place.repeats.any():
            periodic = line.cycle_state[which][..., block]
            elapsed = place.repeats * self._axis.block_period_ms[block]
            state -= periodic
            state *= np.exp(elapsed * _PER_MS[which])[:, None]
            state += periodic
        state *= line.segment_decay[which][:, segment][:, None]
        state += line.segment_gain[which][..., segment]
        target = line.drive[which][..., segment]
        state -= target
        state *= np.exp(place.into * (1000.0 * _PER_MS[which]))[:, None]
        state += target
        return state

    def _energy_and_slope(self, t_ms: Ints, place: Place, slope: bool = True) -> tuple[Floats, Floats]:
        """Joules, and their slope in watts if it is wanted.

        Noise is added to energy, and power is its slope: so the two cannot disagree. It fades out towards the
        ends of a segment, so that a segment's energy is that of its power alone.
        """
        line, block = self._line, place.block
        energy, base_w, noise_j = np.take(self._energy, place.segment, axis=2)
        leaking_w = self._terms(place, _LEAK)[0]
        curve, curve_slope = spline(self._seeds, t_ms, self._tick_ms)
        edge = np.minimum(place.into, place.left)
        edge /= self._edge_s
        fade = np.minimum(1.0, edge)
        energy += line.block_energy_j[:, block]
        energy += place.repeats * line.cycle_energy_j[:, block]
        energy += base_w * place.into
        energy -= _LEAKAGE_J_PER_W * leaking_w
        energy += noise_j * fade * curve
        if not slope:
            return energy, base_w
        fading = np.where(edge < 1.0, np.where(place.into < place.left, 1.0, -1.0) / self._edge_s, 0.0)
        base_w -= LEAKAGE * (line.drive[3][:, place.segment] - leaking_w)
        base_w += noise_j * (fade * curve_slope / self._tick_s + fading * curve)
        return energy, base_w


def _noise_w(line: Timeline, board: Boards) -> Floats:
    """How far noise takes power off its level, per GPU and segment."""
    watts, draw = line.draw.watts, line.draw
    busy_w = np.maximum(0.0, watts - board.context_w)
    if board.device.instantaneous_power:
        return 0.3 + 0.14 * busy_w
    room_w = np.where(draw.capped, 0.0, draw.limit_w - watts) / 3.0
    return 0.3 + np.minimum(0.02 * busy_w, room_w)
