"""The `metrics` and `series` of a scenario file: what the GPU does in each phase, exact values for tests."""

from __future__ import annotations

from types import MappingProxyType

from emulator.scenario.file.durations import Duration, DurationOrRange
from emulator.scenario.file.grammar import Findings
from emulator.scenario.file.quantities import BYTE_RATE, PERCENT, POWER
from emulator.scenario.file.records import Key, ListOf, Located, Record, Table, Values
from emulator.scenario.file.scalars import Choice, Number, Text
from emulator.scenario.model import DurationRange, Keyframes, MetricPhase, Override, Quantity, ShapeName

SERIES_NAMES = (
    "gpuUtilizationPercent",
    "gpuMemoryUtilizationPercent",
    "gpuTemperatureCelsius",
    "gpuPowerWatt",
    "gpuPowerLimitWatt",
    "gpuClockSmMhz",
    "gpuClockMemMhz",
    "gpuPcieThroughputRxBytesPerSec",
    "gpuPcieThroughputTxBytesPerSec",
    "systemRamTotalBytes",
    "systemRamUsedBytes",
    "systemCpuUsagePercent",
)
"""The series of `GET /execution/{id}/metrics`. Source: Lyceum docs, "Metrics"."""

PHASE: Key[str] = Key(
    "phase", Text("a name", min_length=1, max_length=100), "The phase's name.", "train", required=True
)
FOR: Key[DurationRange] = Key(
    "for", DurationOrRange(), "How long it lasts; the last phase may leave it out, and takes the rest.", "30s"
)
SHAPE: Key[str] = Key(
    "shape",
    Choice(
        [shape.value for shape in ShapeName],
        {"idle": "bare-idle", "load": "load-weights", "train": "train-llm", "training": "train-llm"}
        | {"llm": "train-llm", "vision": "train-vision", "warmup": "context"},
    ),
    "What the GPU is busy with: every quantity follows from it unless it is given here.",
    "train-llm",
    required=True,
)
_QUANTITY_DOCS = {
    Quantity.GPU_UTILIZATION: "Share of time in which a kernel ran.",
    Quantity.GPU_MEMORY: "Frame buffer in use.",
    Quantity.SM: "Share of time in which the SMs were busy.",
    Quantity.TENSOR: "Share of time in which the tensor cores were busy.",
    Quantity.DRAM: "Share of time in which the memory interface was busy.",
    Quantity.POWER: "Power draw, in watts or as a share of the limit.",
    Quantity.POWER_LIMIT: "The board's power limit, as a share of its usual one.",
    Quantity.AIRFLOW: "Cooling, as a share of what the board should get.",
    Quantity.PCIE_RX: "Bytes from the host to the GPU.",
    Quantity.PCIE_TX: "Bytes from the GPU to the host.",
    Quantity.CPU: "The machine's processors in use.",
    Quantity.RAM: "The machine's memory in use.",
}
_EXAMPLES = {Quantity.POWER: "350W", Quantity.PCIE_RX: "1.2GB/s", Quantity.PCIE_TX: "190MB/s"}
_FORMS = {Quantity.POWER: POWER, Quantity.PCIE_RX: BYTE_RATE, Quantity.PCIE_TX: BYTE_RATE}
QUANTITIES: dict[Quantity, Key[Override]] = {
    quantity: Key(quantity.value, _FORMS.get(quantity, PERCENT), doc, _EXAMPLES.get(quantity, "85%"))
    for quantity, doc in _QUANTITY_DOCS.items()
}


def _build(values: Values, findings: Findings) -> MetricPhase:
    overrides = {quantity: values[key] for quantity, key in QUANTITIES.items() if key in values}
    return MetricPhase(values[PHASE], ShapeName(values[SHAPE]), values.get(FOR, None), MappingProxyType(overrides))


METRICS: ListOf[MetricPhase] = ListOf(
    Record(
        "a phase such as `{phase: train, shape: train-llm}`",
        (PHASE, FOR, SHAPE, *QUANTITIES.values()),
        _build,
        synonyms={"name": "phase", "duration": "for", "type": "shape", "gpu": "gpu_utilization"}
        | {"utilization": "gpu_utilization", "memory": "gpu_memory", "vram": "gpu_memory"}
        | {"tensor_cores": "tensor", "rx": "pcie_rx", "tx": "pcie_tx", "system_memory": "ram"},
    ),
    "a list of phases",
    1000,
)

SERIES: Table[str, dict[int, Located[float]]] = Table(
    Choice(SERIES_NAMES),
    Table(Duration(), Number(), "times with values, such as `{0s: 40, 2m: 91.5}`", 1),  # type: ignore[arg-type]
    "a mapping from series to times with values",
)


def check_metrics(phases: tuple[Located[MetricPhase], ...], findings: Findings) -> None:
    """Only the last phase takes the rest of running."""
    for located in phases[:-1]:
        if located.value.duration is None:
            message = "only the last phase may leave out `for`: say how long this one lasts"
            findings.note(located.node, located.path, message, beyond_schema=True)


def keyframes(table: Located[dict[int, Located[float]]]) -> Keyframes:
    """The frames of one series in order of time."""
    return tuple((at_ms, frame.value) for at_ms, frame in sorted(table.value.items(), key=lambda item: item[0]))
