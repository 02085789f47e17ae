"""The text page of NVIDIA's dcgm-exporter: all devices at one instant.

Source: NVIDIA/dcgm-exporter, `etc/default-counters.csv` and `internal/pkg/rendermetrics`, as of 2026-05.
Written by hand since Prometheus client libraries add `_total` to counters, which the exporter does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

from emulator.telemetry.counters import Counters

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class HostLabel(StrEnum):
    """What the exporter calls the host: `Hostname` up to the middle of 2026, `hostname` since."""

    OLD = "Hostname"
    NEW = "hostname"


class Family(Struct, frozen=True):
    """One metric of the exporter's list."""

    name: str
    kind: str
    help: str


_GAUGE, _COUNTER = "gauge", "counter"

FAMILIES = (
    Family("DCGM_FI_DEV_SM_CLOCK", _GAUGE, "SM clock frequency (in MHz)."),
    Family("DCGM_FI_DEV_MEM_CLOCK", _GAUGE, "Memory clock frequency (in MHz)."),
    Family("DCGM_FI_DEV_MEMORY_TEMP", _GAUGE, "Memory temperature (in C)."),
    Family("DCGM_FI_DEV_GPU_TEMP", _GAUGE, "GPU temperature (in C)."),
    Family("DCGM_FI_DEV_POWER_USAGE", _GAUGE, "Power draw (in W)."),
    Family("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", _COUNTER, "Total energy consumption since boot (in mJ)."),
    Family("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", _COUNTER, "Total number of PCIe retries."),
    Family("DCGM_FI_DEV_GPU_UTIL", _GAUGE, "GPU utilization (in %)."),
    Family("DCGM_FI_DEV_MEM_COPY_UTIL", _GAUGE, "Memory utilization (in %)."),
    Family("DCGM_FI_DEV_ENC_UTIL", _GAUGE, "Encoder utilization (in %)."),
    Family("DCGM_FI_DEV_DEC_UTIL", _GAUGE, "Decoder utilization (in %)."),
    Family("DCGM_FI_DEV_XID_ERRORS", _GAUGE, "Value of the last XID error encountered."),
    Family("DCGM_FI_DEV_FB_FREE", _GAUGE, "Framebuffer memory free (in MiB)."),
    Family("DCGM_FI_DEV_FB_USED", _GAUGE, "Framebuffer memory used (in MiB)."),
    Family("DCGM_FI_DEV_FB_RESERVED", _GAUGE, "Framebuffer memory reserved (in MiB)."),
    Family(
        "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL",
        _COUNTER,
        "Total number of NVLink bandwidth counters for all lanes.",
    ),
    Family("DCGM_FI_DEV_VGPU_LICENSE_STATUS", _GAUGE, "vGPU License status"),
    Family(
        "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
        _COUNTER,
        "Number of remapped rows for uncorrectable errors",
    ),
    Family("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", _COUNTER, "Number of remapped rows for correctable errors"),
    Family("DCGM_FI_DEV_ROW_REMAP_FAILURE", _GAUGE, "Whether remapping of rows has failed"),
    Family("DCGM_FI_PROF_GR_ENGINE_ACTIVE", _GAUGE, "Ratio of time the graphics engine is active."),
    Family("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", _GAUGE, "Ratio of cycles the tensor (HMMA) pipe is active."),
    Family(
        "DCGM_FI_PROF_DRAM_ACTIVE",
        _GAUGE,
        "Ratio of cycles the device memory interface is active sending or receiving data.",
    ),
    Family(
        "DCGM_FI_PROF_PCIE_TX_BYTES",
        _GAUGE,
        "The rate of data transmitted over the PCIe bus - including both protocol headers and data payloads"
        " - in bytes per second.",
    ),
    Family(
        "DCGM_FI_PROF_PCIE_RX_BYTES",
        _GAUGE,
        "The rate of data received over the PCIe bus - including both protocol headers and data payloads"
        " - in bytes per second.",
    ),
)
"""Those that the exporter shows by default, in its order."""


class Exposed(Struct, frozen=True, kw_only=True):
    """A device on the page: who it is, and what it shows.

    `labels` are the exporter's own (`DCGM_FI_DRIVER_VERSION`), `attributes` come from whoever placed the work
    (`pod`). Each group is written in alphabetical order.
    """

    index: int
    uuid: str
    pci_bus_id: str
    model_name: str
    hostname: str
    counters: Counters
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def exposition(devices: Sequence[Exposed], host_label: HostLabel = HostLabel.OLD) -> str:
    """The page: HELP and TYPE for every family that any device has, then a line per device that has it."""
    return "".join(exposed_families(devices, host_label))


def exposed_families(devices: Sequence[Exposed], host_label: HostLabel) -> Iterator[str]:
    """The page piece by piece, a family each."""
    labels = [_labels(device, host_label) for device in devices]
    for family in FAMILIES:
        values = [
            f"{family.name}{{{text}}} {value}"
            for device, text in zip(devices, labels, strict=True)
            if (value := _value(device.counters[family.name])) is not None
        ]
        if values:
            lines = (f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}", *values)
            yield "".join(f"{line}\n" for line in lines)


def _labels(device: Exposed, host_label: HostLabel) -> str:
    pairs = [
        ("gpu", str(device.index)),
        ("UUID", device.uuid),
        ("pci_bus_id", device.pci_bus_id),
        ("device", f"nvidia{device.index}"),
        ("modelName", device.model_name),
        (host_label.value, device.hostname),
        *_in_order(device.labels),
        *_in_order(device.attributes),
    ]
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)


def _in_order(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return iter(sorted(labels.items()))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _value(value: float | None) -> str | None:
    """Integers as they are, floats with six decimals; a field that the device lacks has no line."""
    if value is None:
        return None
    return str(value) if isinstance(value, int) else f"{value:.6f}"
