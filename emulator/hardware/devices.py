"""GPU devices as data: memory, power, clocks, temperatures and PCIe, one row per device.

Rows rest on `nvidia-smi` captures and vendor sheets; `unsure` names the fields of a row that are estimates.
Adding a GPU is adding a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class Device(Struct, frozen=True, kw_only=True):
    """One GPU model, in the units in which NVML and DCGM report it.

    `context_w` is the board's power once a process holds a CUDA context. `full_load_ratio` is the power that
    full activity would draw at full clock, over the limit: what is above 1 the power cap takes away.
    `reserved_mib` is the part of `memory_mib` that no process gets. The clock steps by `clock_step_mhz`;
    where that is 7.5, the driver shows it truncated. `instantaneous_power` marks GA100, whose sensor reports
    the power of the moment rather than the mean of the last second. `relative_speed` is the training-step
    throughput beside an A100 SXM4 80GB.
    """

    key: str
    model_name: str
    power_limit_w: float
    idle_w: float
    context_w: float
    memory_mib: int
    reserved_mib: int
    sm_max_mhz: int
    sm_base_mhz: int
    sm_idle_mhz: int
    memory_max_mhz: int
    memory_idle_mhz: int
    bus_bits: int
    shutdown_celsius: int
    slowdown_celsius: int
    thermal_resistance_k_per_w: float
    full_load_ratio: float
    relative_speed: float
    pcie_generation: int
    pcie_lanes: int = 16
    clock_step_mhz: float = 15.0
    hbm: bool = True
    instantaneous_power: bool = False
    unsure: frozenset[str] = frozenset()

    @property
    def usable_mib(self) -> int:
        """What processes can have: the whole less the reserved part."""
        return self.memory_mib - self.reserved_mib

    @property
    def pcie_rx_ceiling_bytes_per_s(self) -> int:
        """Host to device, measured with pinned memory (generation 5 is an estimate)."""
        return _PCIE_RX_BYTES_PER_S[self.pcie_generation] * self.pcie_lanes // 16

    @property
    def pcie_tx_ceiling_bytes_per_s(self) -> int:
        """Device to host, measured with pinned memory (generation 5 is an estimate)."""
        return _PCIE_TX_BYTES_PER_S[self.pcie_generation] * self.pcie_lanes // 16

    @property
    def memory_bandwidth_bytes_per_s(self) -> int:
        """Two transfers per clock over the whole bus."""
        return 2 * self.memory_max_mhz * 1_000_000 * self.bus_bits // 8


def adjusted(device: Device, values: Mapping[str, float]) -> Device:
    """`device` with better values for estimated fields.

    Raises ValueError for a field that is not one of the device's `unsure` ones: those are measured.
    """
    if refused := sorted(values.keys() - device.unsure):
        estimated = ", ".join(sorted(device.unsure))
        raise ValueError(f"{device.key}: {', '.join(refused)} cannot be changed; estimated are {estimated}")
    whole = {name for name, kind in Device.__annotations__.items() if kind == "int"}
    changes: dict[str, Any] = {name: int(value) if name in whole else value for name, value in values.items()}
    return replace(device, **changes)


_PCIE_RX_BYTES_PER_S = {3: 12_500_000_000, 4: 26_000_000_000, 5: 55_000_000_000}
_PCIE_TX_BYTES_PER_S = {3: 13_000_000_000, 4: 26_500_000_000, 5: 55_000_000_000}

# Estimated for every device: the sources give ranges for a few at best.
_ALWAYS_UNSURE = frozenset({"thermal_resistance_k_per_w", "full_load_ratio", "relative_speed"})


def _unsure(*names: str) -> frozenset[str]:
    return frozenset(names) | _ALWAYS_UNSURE


# full_load_ratio: T4, A10 and the PCIe cards lose clock early under load (T4 to 660-1090 of 1590 MHz), the
# SXM ones hardly. Thermal resistance: from idle and busy pairs where there are any (A100 SXM, T4, L4), else
# from the form. A100 80GB PCIe: 64 W idle was measured with the clock held at 1410 MHz; 45 W is for the free
# clock. A row reads as a data sheet: identity, power, memory, clocks, temperatures, the rest.
# fmt: off
_ROWS = (
    Device(
        key="t4", model_name="Tesla T4",
        power_limit_w=70, idle_w=14.5, context_w=26, full_load_ratio=3.4, relative_speed=0.11,
        memory_mib=15360, reserved_mib=447, memory_max_mhz=5001, memory_idle_mhz=405,
        sm_max_mhz=1590, sm_base_mhz=585, sm_idle_mhz=300,
        shutdown_celsius=96, slowdown_celsius=93, thermal_resistance_k_per_w=0.65,
        bus_bits=256, hbm=False, pcie_generation=3,
        unsure=_unsure("context_w"),
    ),
    Device(
        key="l4", model_name="NVIDIA L4",
        power_limit_w=72, idle_w=16.5, context_w=28, full_load_ratio=1.8, relative_speed=0.25,
        memory_mib=23034, reserved_mib=556, memory_max_mhz=6251, memory_idle_mhz=405,
        sm_max_mhz=2040, sm_base_mhz=795, sm_idle_mhz=210,
        shutdown_celsius=91, slowdown_celsius=88, thermal_resistance_k_per_w=0.62,
        bus_bits=192, hbm=False, pcie_generation=4,
        unsure=_unsure("context_w"),
    ),
    Device(
        key="a10", model_name="NVIDIA A10",
        power_limit_w=150, idle_w=17, context_w=55, full_load_ratio=1.8, relative_speed=0.35,
        memory_mib=23028, reserved_mib=526, memory_max_mhz=6251, memory_idle_mhz=405,
        sm_max_mhz=1695, sm_base_mhz=885, sm_idle_mhz=210,
        shutdown_celsius=101, slowdown_celsius=98, thermal_resistance_k_per_w=0.3,
        bus_bits=384, hbm=False, pcie_generation=4,
        unsure=_unsure("context_w"),
    ),
    Device(
        key="l40s", model_name="NVIDIA L40S",
        power_limit_w=350, idle_w=33, context_w=99, full_load_ratio=1.15, relative_speed=0.75,
        memory_mib=46068, reserved_mib=608, memory_max_mhz=9001, memory_idle_mhz=405,
        sm_max_mhz=2520, sm_base_mhz=1110, sm_idle_mhz=210,
        shutdown_celsius=92, slowdown_celsius=89, thermal_resistance_k_per_w=0.13,
        bus_bits=384, hbm=False, pcie_generation=4,
        unsure=_unsure(),
    ),
    Device(
        key="a100-40-sxm", model_name="NVIDIA A100-SXM4-40GB",
        power_limit_w=400, idle_w=52, context_w=80, full_load_ratio=1.1, relative_speed=0.94,
        memory_mib=40960, reserved_mib=620, memory_max_mhz=1215, memory_idle_mhz=1215,
        sm_max_mhz=1410, sm_base_mhz=1095, sm_idle_mhz=210,
        shutdown_celsius=92, slowdown_celsius=89, thermal_resistance_k_per_w=0.09,
        bus_bits=5120, pcie_generation=4, instantaneous_power=True,
        unsure=_unsure("context_w"),
    ),
    Device(
        key="a100-80-sxm", model_name="NVIDIA A100-SXM4-80GB",
        power_limit_w=400, idle_w=62, context_w=92, full_load_ratio=1.1, relative_speed=1.0,
        memory_mib=81920, reserved_mib=834, memory_max_mhz=1593, memory_idle_mhz=1593,
        sm_max_mhz=1410, sm_base_mhz=1155, sm_idle_mhz=210,
        shutdown_celsius=92, slowdown_celsius=89, thermal_resistance_k_per_w=0.09,
        bus_bits=5120, pcie_generation=4, instantaneous_power=True,
        unsure=_unsure("sm_base_mhz", "sm_idle_mhz"),
    ),
    Device(
        key="a100-40-pcie", model_name="NVIDIA A100-PCIE-40GB",
        power_limit_w=250, idle_w=34, context_w=62, full_load_ratio=1.4, relative_speed=0.8,
        memory_mib=40960, reserved_mib=620, memory_max_mhz=1215, memory_idle_mhz=1215,
        sm_max_mhz=1410, sm_base_mhz=765, sm_idle_mhz=210,
        shutdown_celsius=92, slowdown_celsius=89, thermal_resistance_k_per_w=0.14,
        bus_bits=5120, pcie_generation=4, instantaneous_power=True,
        unsure=_unsure("context_w", "reserved_mib", "shutdown_celsius", "slowdown_celsius"),
    ),
    Device(
        key="a100-80-pcie", model_name="NVIDIA A100 80GB PCIe",
        power_limit_w=300, idle_w=45, context_w=65, full_load_ratio=1.3, relative_speed=0.88,
        memory_mib=81920, reserved_mib=834, memory_max_mhz=1512, memory_idle_mhz=1512,
        sm_max_mhz=1410, sm_base_mhz=1065, sm_idle_mhz=210,
        shutdown_celsius=92, slowdown_celsius=89, thermal_resistance_k_per_w=0.125,
        bus_bits=5120, pcie_generation=4, instantaneous_power=True,
        unsure=_unsure("idle_w", "reserved_mib", "sm_idle_mhz"),
    ),
    Device(
        key="h100-sxm", model_name="NVIDIA H100 80GB HBM3",
        power_limit_w=700, idle_w=70, context_w=115, full_load_ratio=1.1, relative_speed=2.2,
        memory_mib=81559, reserved_mib=328, memory_max_mhz=2619, memory_idle_mhz=2619,
        sm_max_mhz=1980, sm_base_mhz=1590, sm_idle_mhz=345,
        shutdown_celsius=95, slowdown_celsius=89, thermal_resistance_k_per_w=0.058,
        bus_bits=5120, pcie_generation=5,
        unsure=_unsure("sm_base_mhz"),
    ),
    Device(
        key="h100-pcie", model_name="NVIDIA H100 PCIe",
        power_limit_w=350, idle_w=49, context_w=85, full_load_ratio=1.35, relative_speed=1.5,
        memory_mib=81559, reserved_mib=328, memory_max_mhz=1593, memory_idle_mhz=1593,
        sm_max_mhz=1755, sm_base_mhz=1125, sm_idle_mhz=345,
        shutdown_celsius=95, slowdown_celsius=89, thermal_resistance_k_per_w=0.12,
        bus_bits=5120, pcie_generation=5,
        unsure=_unsure("context_w", "reserved_mib", "shutdown_celsius", "slowdown_celsius", "sm_base_mhz"),
    ),
    Device(
        key="h200-sxm", model_name="NVIDIA H200",
        power_limit_w=700, idle_w=75, context_w=120, full_load_ratio=1.1, relative_speed=2.5,
        memory_mib=143771, reserved_mib=700, memory_max_mhz=3201, memory_idle_mhz=3199,
        sm_max_mhz=1980, sm_base_mhz=1590, sm_idle_mhz=345,
        shutdown_celsius=95, slowdown_celsius=89, thermal_resistance_k_per_w=0.056,
        bus_bits=6144, pcie_generation=5,
        unsure=_unsure("context_w", "sm_base_mhz"),
    ),
    Device(
        key="b200-sxm", model_name="NVIDIA B200",
        power_limit_w=1000, idle_w=143, context_w=190, full_load_ratio=1.1, relative_speed=4.5,
        memory_mib=183359, reserved_mib=1000, memory_max_mhz=3996, memory_idle_mhz=3996,
        sm_max_mhz=1965, sm_base_mhz=1500, sm_idle_mhz=120, clock_step_mhz=7.5,
        shutdown_celsius=95, slowdown_celsius=90, thermal_resistance_k_per_w=0.042,
        bus_bits=7680, pcie_generation=5,
        unsure=_unsure(
            "pcie_generation", "reserved_mib", "shutdown_celsius", "slowdown_celsius", "sm_base_mhz",
        ),
    ),
    Device(
        key="rtx-pro-6000-se", model_name="NVIDIA RTX PRO 6000 Blackwell Server Edition",
        power_limit_w=600, idle_w=33, context_w=90, full_load_ratio=1.15, relative_speed=1.35,
        memory_mib=97887, reserved_mib=640, memory_max_mhz=14001, memory_idle_mhz=405,
        sm_max_mhz=2430, sm_base_mhz=1590, sm_idle_mhz=180, clock_step_mhz=7.5,
        shutdown_celsius=95, slowdown_celsius=90, thermal_resistance_k_per_w=0.085,
        bus_bits=512, hbm=False, pcie_generation=5,
        unsure=_unsure(
            "context_w", "memory_idle_mhz", "reserved_mib", "shutdown_celsius", "slowdown_celsius",
            "sm_base_mhz", "sm_idle_mhz", "sm_max_mhz",
        ),
    ),
)
# fmt: on
DEVICES: dict[str, Device] = {row.key: row for row in _ROWS}
