"""Energy, power, temperature and clocks of a workload's boards at given instants."""

from __future__ import annotations

import numpy as np

from emulator.telemetry.axis import Axis, Place
from emulator.telemetry.board import Boards
from emulator.telemetry.noise import Flags, Floats, Ints, seeds, spline, spline_slope
from emulator.telemetry.timeline import LEAKAGE, TAUS_MS, Timeline

_POWER = 320

BOXCAR_MS = 1000
"""Board power is the mean of the last second. Source: arXiv 2312.02741; GA100 shows the moment's instead."""

_DRIFT_MHZ_PER_K, _DRIFT_FROM_CELSIUS = 3.5, 60.0
"""A capped clock falls as the board warms. Measured on V100."""

_LEAKAGE_J_PER_W = LEAKAGE * TAUS_MS[3] / 1000.0
_HEAT, _LEAK = slice(0, 3), slice(3, 4)
_PER_S = -1000.0 / TAUS_MS[:, None]
_PER_MS = -1.0 / TAUS_MS[:, None]


class Physics:
    """A timeline with noise upon it. Rows of the answers are GPUs, columns instants.

    Whatever is constant within a segment stands in tables of [quantity, GPU, segment], those that are needed
    together in one, so that an answer takes a few look-ups rather than one for each quantity.
    """

    def __init__(self, along: Axis, board: Boards, line: Timeline, seed: int) -> None:
        self.board = board
        self._axis, self._line = along, line
        self._seeds = seeds(seed, (_POWER,), board.count)
        # GA100 lets through what the others' mean over a second hides.
        self._tick_ms, self._edge_s = (100, 0.2) if board.device.instantaneous_power else (1000, 1.0)
        self._tick_s = self._tick_ms / 1000.0
        # What a thermal term is off its target at a segment's start, and what repeats add to that in the end.
        begun, periodic = line.block_state[..., along.block], line.cycle_state[..., along.block]
        off = line.segment_decay[:, None] * begun + line.segment_gain - line.drive
        pull = line.segment_decay[:, None] * (periodic - begun)
        energy_j = line.segment_energy_j + line.block_energy_j[:, along.block]
        noise_j = _noise_w(line, board) * (self._tick_s / 2.0)
        self._energy = np.stack([energy_j, line.power_w, noise_j, off[3], line.drive[3]])
        self._energy_repeats = np.stack([line.cycle_energy_j[:, along.block], pull[3]])
        self._heat = np.concatenate([off[_HEAT], line.drive[_HEAT]])
        self._heat_repeats = pull[_HEAT]
        self._limited = (line.draw.capped | line.draw.throttled).astype(np.float64)
        self.is_ever_limited = bool(self._limited.any())
        """Whether clocks depend on anything but the segment."""
        self._free_mhz = self._shown(line.draw.clock_mhz)

    def times(self, t_ms: Floats) -> Floats:
        """The instants that power depends on: a second before each of `t_ms`, and `t_ms` itself."""
        return t_ms if self.board.device.instantaneous_power else np.concatenate([t_ms - BOXCAR_MS, t_ms])

    def power(self, t_ms: Floats, places: Place) -> tuple[Floats, Floats, Floats]:
        """Reported watts, joules since the driver's start, and degrees Celsius without the sensor's noise.

        `places` are those of `times(t_ms)`.
        """
        if self.board.device.instantaneous_power:
            energy_j, power_w = self._energy_and_slope(t_ms, places)
        else:
            before_j, energy_j = self._energies(t_ms, places, 1).transpose(1, 0, 2)
            power_w = energy_j - before_j
            power_w /= BOXCAR_MS / 1000.0
        return power_w, energy_j, self._temperature(places.last(len(t_ms)))

    def energy_j(self, t_ms: Floats) -> Floats:
        """Energy since the driver's start."""
        energy_j: Floats = self._energies(t_ms, self._axis.locate(t_ms), 0)[:, 0]
        return energy_j

    def limit_w(self, segment: Ints) -> Floats:
        return self._line.draw.limit_w.take(segment, axis=1)

    def clock_mhz(self, segment: Ints) -> Floats:
        """The SM clock on its grid, as the driver shows it, of boards that are never limited."""
        return self._free_mhz.take(segment, axis=1)

    def drifting_clock_mhz(self, segment: Ints, temperature: Floats, wobble: Floats) -> Floats:
        """The same where a limit may hold it down; `wobble` is noise in [-1, 1]."""
        drift = 12.0 * wobble - _DRIFT_MHZ_PER_K * (temperature - _DRIFT_FROM_CELSIUS)
        held_mhz = self._line.draw.clock_mhz.take(segment, axis=1)
        held_mhz += self._limited.take(segment, axis=1) * drift
        return self._shown(held_mhz)

    def _shown(self, clock_mhz: Floats) -> Floats:
        device = self.board.device
        shown = np.clip(clock_mhz, device.sm_idle_mhz, device.sm_max_mhz)
        shown //= device.clock_step_mhz
        shown *= device.clock_step_mhz
        return np.trunc(shown, out=shown)

    def swing(self, t_ms: Floats) -> Floats:
        """The noise of power in [-1, 1], which activity follows."""
        return spline_slope(self._seeds, t_ms, self._tick_ms)

    def holds(self, segment: Ints) -> tuple[Flags, Flags]:
        """Where the power limit, and where the slowdown temperature, holds the clocks down."""
        return self._line.draw.capped[:, segment], self._line.draw.throttled[:, segment]

    def _temperature(self, place: Place) -> Floats:
        off, target = self._heat.take(place.segment, axis=2).reshape(2, 3, self.board.count, -1)
        if place.is_repeated:
            off += self._heat_repeats.take(place.segment, axis=2) * _settled(place, _HEAT)[:, None]
        off *= np.exp(place.into_s * _PER_S[_HEAT])[:, None]
        off += target
        die, package, sink = off
        temperature: Floats = die + package
        temperature += sink
        temperature += self.board.ambient_celsius
        return temperature

    # Noise is added to energy, and power is its slope: so the two cannot disagree. It fades out towards the ends
    # of a segment, so that a segment's energy is that of its power alone.

    def _energies(self, t_ms: Floats, places: Place, ticks_before: int) -> Floats:
        """[GPU, time, instant]: joules; the times are those of `spline`, and `places` theirs."""
        energy_j, _, noise_j, _, _ = self._flow(places)
        curve = spline(self._seeds, t_ms, self._tick_ms, ticks_before)
        noise_j *= np.minimum(1.0, self._edge(places))
        noise_j *= curve.reshape(noise_j.shape)
        energy_j += noise_j
        energies: Floats = energy_j.reshape(curve.shape)
        return energies

    def _energy_and_slope(self, t_ms: Floats, place: Place) -> tuple[Floats, Floats]:
        """Joules, and their slope in watts."""
        energy_j, slope_w, noise_j, leaking_w, leaking_to_w = self._flow(place)
        curve = spline(self._seeds, t_ms, self._tick_ms)[:, 0]
        half_slope = spline_slope(self._seeds, t_ms, self._tick_ms)
        edge = self._edge(place)
        fade = np.minimum(1.0, edge)
        fading = np.where(edge < 1.0, np.where(place.into_s < place.left_s, 1.0, -1.0) / self._edge_s, 0.0)
        energy_j += noise_j * fade * curve
        slope_w -= LEAKAGE * (leaking_to_w - leaking_w)
        slope_w += noise_j * (fade * (2.0 * half_slope) / self._tick_s + fading * curve)
        return energy_j, slope_w

    def _flow(self, places: Place) -> Floats:
        """Without noise: joules, watts, and the noise's joules; the watts that leakage lags at and goes to."""
        flow: Floats = self._energy.take(places.segment, axis=2)
        energy_j, watts, _, leaking_w, leaking_to_w = flow
        if places.is_repeated:
            cycle_j, pull_w = self._energy_repeats.take(places.segment, axis=2)
            energy_j += places.repeats * cycle_j
            leaking_w += pull_w * _settled(places, _LEAK)
        leaking_w *= np.exp(places.into_s * _PER_S[3])
        leaking_w += leaking_to_w
        energy_j += watts * places.into_s
        energy_j -= _LEAKAGE_J_PER_W * leaking_w
        return flow

    def _edge(self, places: Place) -> Floats:
        """How far an instant is from the nearer end of its segment, 1 where noise is at its full."""
        edge = np.minimum(places.into_s, places.left_s)
        edge /= self._edge_s
        return edge


def _settled(place: Place, terms: slice) -> Floats:
    """How far repeats have brought thermal terms to their periodic state: exactly 0 in the first one."""
    settled: Floats = 1.0 - np.exp(place.repeated_ms * _PER_MS[terms])
    return settled


def _noise_w(line: Timeline, board: Boards) -> Floats:
    """How far noise takes power off its level, per GPU and segment."""
    watts, draw = line.draw.watts, line.draw
    busy_w = np.maximum(0.0, watts - board.context_w)
    if board.device.instantaneous_power:
        return 0.3 + 0.14 * busy_w
    room_w = np.where(draw.capped, 0.0, draw.limit_w - watts) / 3.0
    return 0.3 + np.minimum(0.02 * busy_w, room_w)
