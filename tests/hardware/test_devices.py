"""The table of devices holds together."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from emulator.hardware.devices import DEVICES, Device, adjusted

PUBLISHED_GB_PER_S = {
    "t4": 320,
    "l4": 300,
    "a10": 600,
    "l40s": 864,
    "a100-40-sxm": 1555,
    "a100-80-sxm": 2039,
    "a100-40-pcie": 1555,
    "a100-80-pcie": 1935,
    "h100-sxm": 3352,
    "h100-pcie": 2039,
    "h200-sxm": 4917,
    "b200-sxm": 7672,
    "rtx-pro-6000-se": 1792,
}
"""From vendor sheets; B200 as its driver's 7680 bits give it."""

every_device = pytest.mark.parametrize("device", DEVICES.values(), ids=list(DEVICES))


def test_there_is_a_published_bandwidth_for_every_device() -> None:
    assert set(DEVICES) == set(PUBLISHED_GB_PER_S)


@every_device
def test_memory_clock_and_bus_give_the_published_bandwidth(device: Device) -> None:
    published = PUBLISHED_GB_PER_S[device.key] * 1e9
    assert abs(device.memory_bandwidth_bytes_per_s / published - 1) <= 0.025


@every_device
def test_levels_are_in_order(device: Device) -> None:
    assert 0 < device.idle_w < device.context_w < device.power_limit_w
    assert device.sm_idle_mhz < device.sm_base_mhz < device.sm_max_mhz
    assert device.memory_idle_mhz <= device.memory_max_mhz
    assert device.slowdown_celsius < device.shutdown_celsius
    assert 0 < device.reserved_mib < device.memory_mib / 20
    assert device.full_load_ratio >= 1


@every_device
def test_clocks_stand_on_the_grid(device: Device) -> None:
    for clock in (device.sm_max_mhz, device.sm_idle_mhz, device.sm_base_mhz):
        assert clock % device.clock_step_mhz == 0


@every_device
def test_stacked_memory_keeps_its_clock_at_idle(device: Device) -> None:
    share = device.memory_idle_mhz / device.memory_max_mhz
    assert share > 0.99 if device.hbm else share < 0.1


@every_device
def test_a_properly_cooled_board_stays_below_its_slowdown_temperature(device: Device) -> None:
    hottest = 30 + 1.12 * device.thermal_resistance_k_per_w * device.power_limit_w
    assert hottest < device.slowdown_celsius


@every_device
def test_unsure_names_fields(device: Device) -> None:
    assert device.unsure <= set(Device.__struct_fields__)


def test_only_ga100_shows_momentary_power() -> None:
    assert {key for key, device in DEVICES.items() if device.instantaneous_power} == {
        "a100-40-sxm",
        "a100-80-sxm",
        "a100-40-pcie",
        "a100-80-pcie",
    }


def test_bus_ceilings_are_the_measured_ones() -> None:
    t4, a100, h100 = DEVICES["t4"], DEVICES["a100-80-sxm"], DEVICES["h100-sxm"]
    assert (t4.pcie_rx_ceiling_bytes_per_s, t4.pcie_tx_ceiling_bytes_per_s) == (
        12_500_000_000,
        13_000_000_000,
    )
    assert (a100.pcie_rx_ceiling_bytes_per_s, a100.pcie_tx_ceiling_bytes_per_s) == (
        26_000_000_000,
        26_500_000_000,
    )
    assert (h100.pcie_rx_ceiling_bytes_per_s, h100.pcie_tx_ceiling_bytes_per_s) == (
        55_000_000_000,
        55_000_000_000,
    )
    assert replace(t4, pcie_lanes=8).pcie_rx_ceiling_bytes_per_s == 6_250_000_000


def test_estimates_can_be_bettered_and_measurements_cannot() -> None:
    t4 = DEVICES["t4"]
    better = adjusted(t4, {"context_w": 27.5, "relative_speed": 0.2})
    assert better == replace(t4, context_w=27.5, relative_speed=0.2)
    assert DEVICES["b200-sxm"].sm_base_mhz == 1500
    assert adjusted(DEVICES["b200-sxm"], {"sm_base_mhz": 1650.0}).sm_base_mhz == 1650
    with pytest.raises(ValueError, match="t4: memory_mib, power_limit_w cannot be changed; estimated are context_w"):
        adjusted(t4, {"power_limit_w": 75, "memory_mib": 16384, "context_w": 30})
