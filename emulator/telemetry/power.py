"""From activity to watts and clocks: the cost of each unit, the power cap, the slowdown temperature."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from emulator.telemetry.board import Boards
from emulator.telemetry.noise import Floats
from emulator.telemetry.schedule import Levels

# Shares of the dynamic power. They reproduce H100's published levels: 583 W in LoRA training, the cap in
# large matrix products, 330-355 W in decoding of small batches.
_SM, _TENSOR, _DRAM = 0.15, 0.60, 0.25
_TENSOR_FULL, _DRAM_FULL = 0.5, 0.7

_CAP_EXPONENT = 1.0 / 2.2
"""Power goes with the clock's 2.2nd power between base and maximum clock, where voltage falls too."""

_SLOWDOWN_EXPONENT = 1.75
"""Hot boards lose clock faster than power: 450-550 of 1755 MHz at half the power."""

_WALK_DOWN_TOP = 0.25


class Draw(Struct, frozen=True):
    """Per GPU and segment: power without leakage, the share above an idle context, and what limits it."""

    watts: Floats
    wanted_w: Floats
    above_context_w: Floats
    clock_mhz: Floats
    capped: NDArray[np.bool_]
    throttled: NDArray[np.bool_]
    limit_w: Floats

    @staticmethod
    def joined(draws: list[Draw]) -> Draw:
        each = ([getattr(draw, name) for draw in draws] for name in Draw.__struct_fields__)
        return Draw(*(np.concatenate(parts, axis=1) for parts in each))


def unlimited(levels: Levels, boards: Boards, margin: float) -> Draw:
    """The draw under the power limit alone; `margin` is what leakage may add, in which room must be left."""
    device = boards.device
    limit_w = np.maximum(device.power_limit_w * levels.limit, boards.context_w)
    effort = (
        _SM * levels.sm
        + _TENSOR * np.minimum(1.0, levels.tensor / _TENSOR_FULL)
        + _DRAM * np.minimum(1.0, levels.dram / _DRAM_FULL)
    )
    full_w = device.full_load_ratio * device.power_limit_w - boards.context_w
    loaded_w = levels.load * (device.power_limit_w - boards.context_w)
    usual_w = np.maximum(0.0, levels.usual_power * device.power_limit_w - boards.context_w)
    given_w = np.where(np.isnan(levels.load), usual_w, loaded_w)
    above_w = np.where(np.isnan(given_w), full_w * effort, given_w) * boards.chip * (levels.awake == 1.0)
    floor_w = boards.idle_w + (boards.context_w - boards.idle_w) * levels.awake
    exact_w = levels.power * device.power_limit_w
    wanted_w = np.where(np.isnan(levels.power), floor_w + above_w, np.maximum(exact_w, boards.idle_w))
    capped = wanted_w * margin > limit_w
    watts = np.minimum(wanted_w, limit_w)
    ratio = np.where(capped, watts / wanted_w, 1.0) ** _CAP_EXPONENT
    walking = device.sm_idle_mhz + levels.awake * (_WALK_DOWN_TOP * device.sm_max_mhz - device.sm_idle_mhz)
    walking = np.maximum(device.sm_idle_mhz, walking)
    clock_mhz = np.where(levels.awake == 1.0, device.sm_max_mhz * ratio, walking)
    return Draw(
        watts=watts,
        wanted_w=wanted_w,
        above_context_w=np.maximum(0.0, watts - boards.context_w),
        clock_mhz=clock_mhz,
        capped=capped,
        throttled=np.zeros(watts.shape, dtype=np.bool_),
        limit_w=np.broadcast_to(limit_w, watts.shape),
    )


def settled(draw: Draw, boards: Boards, resistance: Floats) -> Draw:
    """`draw` held to what keeps the board at its slowdown temperature for good."""
    sustained_w = (boards.device.slowdown_celsius - boards.ambient_celsius) / resistance
    return _throttled(draw, boards, sustained_w)


def hold(draw: Draw, boards: Boards, state: Floats, resistance: Floats, decays: Floats, shares: Floats) -> Draw:
    """`draw` held, segment after segment, to what does not take the board past its slowdown temperature.

    `state` is the thermal state at the start, `decays` what is left of each term after each segment.
    """
    allowed_w = np.empty_like(draw.watts)
    reserve = (boards.device.slowdown_celsius - boards.ambient_celsius)[:, 0]
    for index in range(draw.watts.shape[1]):
        left = decays[:, index]
        gained = resistance[:, index] * (shares * (1.0 - left))[:, None]
        room_w = (reserve - (state * left[:, None]).sum(axis=0)) / gained.sum(axis=0)
        allowed_w[:, index] = np.clip(room_w, 0.0, draw.watts[:, index])
        state = state * left[:, None] + gained * allowed_w[:, index]
    return _throttled(draw, boards, allowed_w)


def _throttled(draw: Draw, boards: Boards, allowed_w: Floats) -> Draw:
    # Clocks cannot take a board below the power of an idle context.
    watts = np.minimum(draw.watts, np.maximum(allowed_w, boards.context_w))
    throttled = watts < draw.watts - 1e-9
    slowed_mhz = boards.device.sm_max_mhz * (watts / draw.wanted_w) ** _SLOWDOWN_EXPONENT
    return replace(
        draw,
        watts=watts,
        above_context_w=np.maximum(0.0, watts - boards.context_w),
        clock_mhz=np.where(throttled, np.minimum(draw.clock_mhz, slowed_mhz), draw.clock_mhz),
        capped=draw.capped & ~throttled,
        throttled=throttled,
    )
