"""The power and heat of a workload's boards as closed forms: what a segment adds, and what a repeat adds.

Power is constant within a segment and a block repeats its segments exactly, so energy is a prefix sum plus a
number of repeats, and each thermal term approaches a periodic state geometrically. A value costs the same at
any age.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from emulator.telemetry.board import Boards
from emulator.telemetry.noise import Floats
from emulator.telemetry.power import Draw, hold, settled, unlimited
from emulator.telemetry.schedule import Block, Levels, Schedule

SHARES = np.array([0.25, 0.25, 0.50])
"""How the thermal resistance divides over die, package and heat sink. The first two follow a B300 log."""

TAUS_MS = np.array([300.0, 18_000.0, 90_000.0, 60_000.0])
"""Time constants of those three, and of the leakage by which power creeps up after a start."""

LEAKAGE = 0.02
"""Power rises by 1-3 % while a board warms up, where no cap hides it. Measured on H100 and B300."""


class Timeline(Struct, frozen=True):
    """Arrays over blocks [.., B] and over all blocks' segments [.., S]; thermal terms first, then GPUs."""

    block_energy_j: Floats
    """Energy since the driver's start, at the block's start."""
    cycle_energy_j: Floats
    block_state: Floats
    cycle_state: Floats
    """The periodic thermal state that the block tends to, as it is at the start of each repeat."""
    segment_energy_j: Floats
    segment_gain: Floats
    """Thermal state at the segment's start had the repeat begun at zero..."""
    segment_decay: Floats
    """...and how much of the repeat's beginning is left there."""
    drive: Floats
    """What each thermal term tends to within the segment."""
    power_w: Floats
    draw: Draw


def compile_timeline(plan: Schedule, boards: Boards) -> Timeline:
    """The boards' timeline; their thermal state at the start is that of long idleness."""
    parts = list(_parts(plan.blocks, boards))
    return Timeline(
        block_energy_j=np.stack([part.energy_j for part in parts], axis=-1),
        cycle_energy_j=np.stack([part.cycle_energy_j for part in parts], axis=-1),
        block_state=np.stack([part.state for part in parts], axis=-1),
        cycle_state=np.stack([part.cycle_state for part in parts], axis=-1),
        segment_energy_j=np.concatenate([part.segment_energy_j for part in parts], axis=-1),
        segment_gain=np.concatenate([part.gain for part in parts], axis=-1),
        segment_decay=np.concatenate([part.decay for part in parts], axis=-1),
        drive=np.concatenate([part.drive for part in parts], axis=-1),
        power_w=np.concatenate([part.power_w for part in parts], axis=-1),
        draw=Draw.joined([part.draw for part in parts]),
    )


class _Part(Struct, frozen=True):
    """One block, compiled."""

    levels: Levels
    draw: Draw
    drive: Floats
    power_w: Floats
    energy_j: Floats
    cycle_energy_j: Floats
    segment_energy_j: Floats
    state: Floats
    cycle_state: Floats
    gain: Floats
    decay: Floats


def _parts(blocks: tuple[Block, ...], boards: Boards) -> Iterator[_Part]:
    state, energy_j = np.zeros((len(TAUS_MS), boards.count)), np.zeros(boards.count)
    for number, block in enumerate(blocks):
        levels = block.levels
        seconds = levels.length_ms / 1000.0
        decays = np.exp(-levels.length_ms / TAUS_MS[:, None])
        resistance = boards.starved_k_per_w(levels.airflow)
        draw = unlimited(levels, boards, 1.0 + LEAKAGE)
        if block.controlled:
            draw = hold(draw, boards, state[:3], resistance, decays[:3], SHARES)
        else:
            draw = settled(draw, boards, resistance)
        drive = _drive(draw, resistance)
        if number == 0:
            state = drive[..., 0]  # the host has been idle for longer than any term remembers
        power_w = draw.watts + LEAKAGE * drive[3]
        joules = power_w * seconds
        gains = drive * (1.0 - decays)[:, None]
        decay, gain = _prefix(decays, gains)
        reached = gain[..., -1] * decays[:, -1:] + gains[..., -1]
        cycle_state = reached / (1.0 - decay[:, -1:] * decays[:, -1:])
        part = _Part(
            levels, draw, drive, power_w, energy_j, joules.sum(axis=1), np.cumsum(joules, axis=1) - joules,
            state, cycle_state, gain, decay,
        )  # fmt: skip
        yield part
        if number + 1 < len(blocks):
            state, energy_j = _after(part, blocks[number + 1].start_ms - block.start_ms)


def _drive(draw: Draw, resistance: Floats) -> Floats:
    heat = draw.watts * resistance
    # Where a cap or a temperature holds power, there is no room for leakage to show.
    leakage = np.where((draw.capped | draw.throttled).any(axis=1, keepdims=True), 0.0, draw.above_context_w)
    return np.stack([*(share * heat for share in SHARES), leakage])


def _prefix(decays: Floats, gains: Floats) -> tuple[Floats, Floats]:
    """Decay and gain from the start of the repeat to the start of each segment.

    An associative scan in log steps: state -> state * decay + gain, composed segment after segment.
    """
    decay = np.concatenate([np.ones_like(decays[:, :1]), decays[:, :-1]], axis=1)
    gain = np.concatenate([np.zeros_like(gains[..., :1]), gains[..., :-1]], axis=2)
    reach = 1
    while reach < decay.shape[1]:
        gain = np.concatenate(
            [gain[..., :reach], gain[..., reach:] + decay[:, None, reach:] * gain[..., :-reach]], axis=2
        )
        decay = np.concatenate([decay[:, :reach], decay[:, reach:] * decay[:, :-reach]], axis=1)
        reach *= 2
    return decay, gain


def _after(part: _Part, elapsed_ms: int) -> tuple[Floats, Floats]:
    """Thermal state and energy `elapsed_ms` after the start of the block."""
    ends = np.cumsum(part.levels.length_ms)
    repeats, rest = divmod(elapsed_ms, int(ends[-1]))
    index = int(np.searchsorted(ends, rest, "right"))
    into_ms = rest - float(ends[index] - part.levels.length_ms[index])
    faded = np.exp(-repeats * float(ends[-1]) / TAUS_MS)[:, None]
    begun = part.cycle_state + (part.state - part.cycle_state) * faded
    entered = part.gain[..., index] + part.decay[:, index, None] * begun
    target = part.drive[..., index]
    state = target + (entered - target) * np.exp(-into_ms / TAUS_MS)[:, None]
    energy_j = part.energy_j + repeats * part.cycle_energy_j + part.segment_energy_j[:, index]
    return state, energy_j + part.power_w[:, index] * into_ms / 1000.0
