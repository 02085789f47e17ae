"""The boards of one run: a device's constants with the spread that real chips, slots and rooms have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emulator.hardware.devices import Device
from emulator.noise import uniform
from emulator.telemetry.noise import Floats

# Chips of one model differ by a few watts at idle (60-68 W for A100) and a few percent under load; GPUs of
# one chassis by up to 12 degrees at the same load.
_IDLE, _CHIP, _SLOT, _ROOM, _COOLING, _UPTIME = range(100, 106)


@dataclass(frozen=True, slots=True)
class Boards:
    """Arrays hold one row per GPU, as columns that broadcast over segments or times."""

    device: Device
    count: int
    idle_w: Floats
    context_w: Floats
    chip: Floats
    """Factor on the power that activity draws."""
    ambient_celsius: Floats
    resistance_k_per_w: Floats
    uptime_ms: int
    """How long the driver had been up when the model's time starts: energy counts from there."""


def boards(device: Device, seed: int, count: int) -> Boards:
    """The boards that a run's seed gives it."""

    def draw(signal: int) -> Floats:
        return np.array([[uniform(seed, signal, index)] for index in range(count)])

    offset_w = device.idle_w * (0.10 * draw(_IDLE) - 0.03)
    return Boards(
        device,
        count,
        idle_w=device.idle_w + offset_w,
        context_w=device.context_w + offset_w,
        chip=0.97 + 0.06 * draw(_CHIP),
        ambient_celsius=21.2 + 6.0 * uniform(seed, _ROOM) + 2.0 * draw(_SLOT),
        resistance_k_per_w=device.thermal_resistance_k_per_w * (0.78 + 0.34 * draw(_COOLING)),
        uptime_ms=86_400_000 + int(29 * 86_400_000 * uniform(seed, _UPTIME)),
    )
