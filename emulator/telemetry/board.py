"""The boards of one run: a device's constants with the spread that real chips, slots and rooms have."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from emulator.hardware.devices import Device
from emulator.noise import uniform
from emulator.telemetry.noise import Floats

_IDLE, _CHIP, _SLOT, _ROOM, _COOLING, _UPTIME = range(100, 106)


class Boards(Struct, frozen=True):
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

    def starved_k_per_w(self, airflow: Floats) -> Floats:
        """The thermal resistance under these shares of proper cooling, per GPU and share.

        It goes no higher than lets an idle context, below which clocks cannot take a board, stay at the slowdown
        temperature. A board beyond that would shut itself off: a scenario says so by the shape `lost`.
        """
        bearable = (self.device.slowdown_celsius - self.ambient_celsius) / self.context_w
        return np.minimum(self.resistance_k_per_w / airflow, bearable)


def boards(device: Device, seed: int, count: int) -> Boards:
    """The boards that a run's seed gives it."""

    def draw(signal: int) -> Floats:
        return np.array([[uniform(seed, signal, index)] for index in range(count)])

    # 60-68 W were measured on idle A100 SXM4 80GB, whose row says 62.
    offset_w = device.idle_w * (0.13 * draw(_IDLE) - 0.03)
    return Boards(
        device,
        count,
        idle_w=device.idle_w + offset_w,
        context_w=device.context_w + offset_w,
        # Estimated: a few percent between chips of one model.
        chip=0.97 + 0.06 * draw(_CHIP),
        # Estimated: 22-30 degrees at the inlet, a quarter of which is the slot's.
        ambient_celsius=22.0 + 6.0 * uniform(seed, _ROOM) + 2.0 * draw(_SLOT),
        # GPUs of one chassis were measured up to 12 degrees apart at the same load: 2 are the slot's, and a
        # quarter of the 36-40 degrees that an A100 rises at its limit make the other 10.
        resistance_k_per_w=device.thermal_resistance_k_per_w * (0.87 + 0.26 * draw(_COOLING)),
        uptime_ms=86_400_000 + int(29 * 86_400_000 * uniform(seed, _UPTIME)),
    )
