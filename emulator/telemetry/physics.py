"""Energy, power, temperature and clocks of a workload's boards at given instants."""

from __future__ import annotations

import numpy as np

from emulator.telemetry.axis import Axis, Place
from emulator.telemetry.board import Boards
from emulator.telemetry.noise import Curves, Flags, Floats, Ints, Ticks, curves, number, seeds
from emulator.telemetry.timeline import LEAKAGE, TAUS_MS, Timeline

_POWER = 320

BOXCAR_MS = number(1000.0)
"""Board power is the mean of the last second. Source: arXiv 2312.02741; GA100 shows the moment's instead."""

_DRIFT_MHZ, _DRIFT_MHZ_PER_K, _DRIFT_FROM_CELSIUS = number(12.0), number(3.5), number(60.0)
"""A capped clock falls as the board warms. Measured on V100."""

_ONE = number(1.0)
_BOXCAR_S = BOXCAR_MS / 1000.0
_LEAKAGE_J_PER_W = number(LEAKAGE * TAUS_MS[3] / 1000.0)
_HEAT, _LEAK = slice(0, 3), 3
_PER_S = -1000.0 / TAUS_MS[:, None]
_PER_MS = -1.0 / TAUS_MS[:, None]

# Quantities of a segment in what `Physics.levels` answers. The first three have a row for each thermal term.
_OFF, _PULL, _TARGET = (slice(first, first + 3) for first in (0, 3, 6))
_LIMIT, _CLOCK, _LIMITED = 9, 10, 11


class Physics:
    """A timeline with noise upon it. Rows of the answers are GPUs, columns instants.

    Whatever is constant within a segment stands in tables of [quantity, GPU, segment], those that are needed
    together in one, so that an answer takes a few look-ups rather than one for each quantity.
    """

    def __init__(self, along: Axis, board: Boards, line: Timeline, seed: int) -> None:
        self.board = board
        self.seeds = seeds(seed, (_POWER,), board.count)
        """Of the noise of power."""
        self._axis = along
        self._capped, self._throttled = line.draw.capped, line.draw.throttled
        # GA100 lets through what the others' mean over a second hides.
        tick_ms, edge_s = (100, 0.2) if board.device.instantaneous_power else (1000, 1.0)
        self._tick_ms, self._edge_s = number(tick_ms), number(edge_s)
        self._tick_s = tick_ms / 1000.0
        # What a thermal term is off its target at a segment's start, and what repeats add to that in the end.
        begun, periodic = line.block_state[..., along.block], line.cycle_state[..., along.block]
        off = line.segment_decay[:, None] * begun + line.segment_gain - line.drive
        pull = line.segment_decay[:, None] * (periodic - begun)
        energy_j = line.segment_energy_j + line.block_energy_j[:, along.block]
        noise_j = _noise_w(line, board) * (self._tick_s / 2.0)
        cycle_energy_j = line.cycle_energy_j[:, along.block]
        self._energy = np.stack(
            [energy_j, line.power_w, noise_j, off[_LEAK], line.drive[_LEAK], cycle_energy_j, pull[_LEAK]]
        )
        limited = line.draw.capped | line.draw.throttled
        self.is_ever_limited = bool(limited.any())
        """Whether clocks depend on anything but the segment."""
        clock_mhz = line.draw.clock_mhz if self.is_ever_limited else self._shown(line.draw.clock_mhz)
        levels = [*off[_HEAT], *pull[_HEAT], *line.drive[_HEAT], line.draw.limit_w, clock_mhz]
        self._levels = np.stack([*levels, limited] if self.is_ever_limited else levels)
        # How far repeats have brought thermal terms to their periodic state: exactly 0 in the first one.
        self._settled = 1.0 - np.exp(along.cycles_ms * _PER_MS)
        own = (self._capped, self._throttled, self._energy, self._levels, self._settled)
        self.nbytes = sum(array.nbytes for array in own)

    def times(self, t_ms: Floats) -> Floats:
        """The instants that power depends on: a second before each of `t_ms`, and `t_ms` itself."""
        return t_ms if self.board.device.instantaneous_power else np.concatenate([t_ms - BOXCAR_MS, t_ms])

    def ticks(self, t_ms: Floats) -> Ticks:
        """Those of power's noise: at each of `times`."""
        before = 0 if self.board.device.instantaneous_power else int(BOXCAR_MS / self._tick_ms)
        return Ticks(t_ms, self._tick_ms, before=before, after=2)

    def levels(self, segment: Ints) -> Floats:
        """[quantity, GPU, instant]: what instants in these segments take besides energy; for `power` and the rest."""
        levels: Floats = self._levels.take(segment, axis=2)
        return levels

    def power(self, places: Place, noise: Curves, level: Floats) -> tuple[Floats, Floats, Floats]:
        """Reported watts, joules since the driver's start, and degrees Celsius without the sensor's noise.

        `places` are those of `times(t_ms)`, `noise` lies upon `ticks(t_ms)`; `level` are the `levels` at `t_ms`,
        of which this uses up some.
        """
        settled = None if places.cycle is None else self._settled.take(places.cycle, axis=1)
        if self.board.device.instantaneous_power:
            energy_j, power_w = self._energy_and_slope(places, settled, noise)
        else:
            before_j, energy_j = self._energies(places, settled, noise).transpose(1, 0, 2)
            power_w = energy_j - before_j
            power_w /= _BOXCAR_S
        return power_w, energy_j, self._temperature(places, settled, level)

    def energy_j(self, t_ms: Floats) -> Floats:
        """Energy since the driver's start."""
        places = self._axis.locate(t_ms)
        settled = None if places.cycle is None else self._settled.take(places.cycle, axis=1)
        (noise,) = curves((self.seeds, Ticks(t_ms, self._tick_ms, after=2)))
        energy_j: Floats = self._energies(places, settled, noise)[:, 0]
        return energy_j

    def clock_mhz(self, level: Floats, temperature: Floats, wobble: Floats) -> Floats:
        """The SM clock on its grid, as the driver shows it; `wobble` is noise in [-1, 1], of limited boards alone."""
        if not self.is_ever_limited:
            clock_mhz: Floats = level[_CLOCK]
            return clock_mhz
        drift = _DRIFT_MHZ * wobble[0] - _DRIFT_MHZ_PER_K * (temperature - _DRIFT_FROM_CELSIUS)
        drift *= level[_LIMITED]
        drift += level[_CLOCK]
        return self._shown(drift)

    def limit_w(self, level: Floats) -> Floats:
        limit_w: Floats = level[_LIMIT]
        return limit_w

    def _shown(self, clock_mhz: Floats) -> Floats:
        device = self.board.device
        shown = np.clip(clock_mhz, device.sm_idle_mhz, device.sm_max_mhz)
        shown //= device.clock_step_mhz
        shown *= device.clock_step_mhz
        return np.trunc(shown, out=shown)

    def swing(self, t_ms: Floats) -> Floats:
        """The noise of power in [-1, 1], which activity follows."""
        (noise,) = curves((self.seeds, Ticks(t_ms, self._tick_ms, after=2)))
        slope: Floats = noise.spline_slope()[:, 0]
        return slope

    def holds(self, segment: Ints) -> tuple[Flags, Flags]:
        """Where the power limit, and where the slowdown temperature, holds the clocks down."""
        return self._capped[:, segment], self._throttled[:, segment]

    def _temperature(self, places: Place, settled: Floats | None, level: Floats) -> Floats:
        last = slice(-level.shape[-1], None)
        off = level[_OFF]
        if settled is not None:
            pull = level[_PULL]
            pull *= settled[_HEAT, None, last]
            off += pull
        off *= np.exp(places.into_s[:, last] * _PER_S[_HEAT])[:, None]
        off += level[_TARGET]
        die, package, sink = off
        temperature: Floats = die + package
        temperature += sink
        temperature += self.board.ambient_celsius
        return temperature

    # Noise is added to energy, and power is its slope: so the two cannot disagree. It fades out towards the ends
    # of a segment, so that a segment's energy is that of its power alone.

    def _energies(self, places: Place, settled: Floats | None, noise: Curves) -> Floats:
        """[GPU, time, instant]: joules; the times are those of the spline, and `places` theirs."""
        energy_j, _, noise_j, _, _ = self._flow(places, settled)
        curve = noise.spline()
        noise_j *= np.minimum(_ONE, self._edge(places))
        noise_j *= curve.reshape(noise_j.shape)
        energy_j += noise_j
        energies: Floats = energy_j.reshape(curve.shape)
        return energies

    def _energy_and_slope(self, places: Place, settled: Floats | None, noise: Curves) -> tuple[Floats, Floats]:
        """Joules, and their slope in watts."""
        energy_j, slope_w, noise_j, leaking_w, leaking_to_w = self._flow(places, settled)
        curve, half_slope = noise.spline()[:, 0], noise.spline_slope()[:, 0]
        edge = self._edge(places)
        fade = np.minimum(1.0, edge)
        fading = np.where(edge < 1.0, np.where(places.into_s < places.left_s, 1.0, -1.0) / self._edge_s, 0.0)
        energy_j += noise_j * fade * curve
        slope_w -= LEAKAGE * (leaking_to_w - leaking_w)
        slope_w += noise_j * (fade * (2.0 * half_slope) / self._tick_s + fading * curve)
        return energy_j, slope_w

    def _flow(self, places: Place, settled: Floats | None) -> Floats:
        """Without noise: joules, watts, and the noise's joules; the watts that leakage lags at and goes to."""
        flow: Floats = self._energy.take(places.segment, axis=2)
        energy_j, watts, _, leaking_w, leaking_to_w, cycle_j, pull_w = flow
        if settled is not None:
            cycle_j *= places.repeats
            energy_j += cycle_j
            pull_w *= settled[_LEAK, None]
            leaking_w += pull_w
        leaking_w *= np.exp(places.into_s * _PER_S[_LEAK])
        leaking_w += leaking_to_w
        energy_j += watts * places.into_s
        energy_j -= _LEAKAGE_J_PER_W * leaking_w
        return flow[:5]

    def _edge(self, places: Place) -> Floats:
        """How far an instant is from the nearer end of its segment, 1 where noise is at its full."""
        edge = np.minimum(places.into_s, places.left_s)
        edge /= self._edge_s
        return edge


def _noise_w(line: Timeline, board: Boards) -> Floats:
    """How far noise takes power off its level, per GPU and segment."""
    watts, draw = line.draw.watts, line.draw
    busy_w = np.maximum(0.0, watts - board.context_w)
    if board.device.instantaneous_power:
        return 0.3 + 0.14 * busy_w
    room_w = np.where(draw.capped, 0.0, draw.limit_w - watts) / 3.0
    return 0.3 + np.minimum(0.02 * busy_w, room_w)
