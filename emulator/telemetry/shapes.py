"""Workload shapes as data: what a device and its host do while a phase lasts.

The figures follow published captures: LLM and diffusion training on H100 (arXiv 2604.07345), inference on
H100 and H200 (arXiv 2605.11999), idle levels (arXiv 2605.23918, 2604.04745). Rates over PCIe are arithmetic.
The rest is estimated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

Span: TypeAlias = tuple[float, float]
"""Low and high end of a draw; the schedule's seed draws, mostly near the high end where `Beat` says so."""


class Presence(StrEnum):
    """Who holds the device: nobody, or a process; a lost one has fallen off its bus and reports nothing."""

    BARE = "bare"
    PROCESS = "process"
    LOST = "lost"


class Beat(Struct, frozen=True, kw_only=True):
    """A pause that comes back: the end of a training step, a checkpoint, the wait for data.

    Every `every_ms` (give or take `jitter`, a ratio) the shape's activity is multiplied by `activity` for
    `lasts_ms`. Depth is skewed: draws are mostly near the second number of `activity`. `sawtooth` lets the
    time before the pause decline towards it. What is None stays as the shape has it.
    """

    every_ms: int
    lasts_ms: tuple[int, int]
    activity: Span
    jitter: float = 0.02
    sawtooth: bool = False
    gpu_utilization_percent: Span | None = None
    pcie_rx_bytes_per_s: Span | None = None
    pcie_tx_bytes_per_s: Span | None = None

    def __post_init__(self) -> None:
        if not 500 <= self.every_ms <= 86_400_000:
            raise ValueError(f"a beat comes back every half second to every day: {self}")
        if not 0 < self.lasts_ms[0] <= self.lasts_ms[1] < self.every_ms * (1 - self.jitter):
            raise ValueError(f"a beat lasts longer than nothing and less than its period: {self}")


class Shape(Struct, frozen=True, kw_only=True):
    """Targets of a phase and its time structure; percent is 0-100, PCIe rates are per device.

    `gpu_memory_percent` is of what processes can have (total less reserved); it is reached within
    `memory_rise_ms`, or over the whole phase where that is None. `sm`, `tensor` and `dram` are DCGM's ratios
    of activity, from which power follows, unless `load_percent` gives it (0 is the power of an idle context,
    100 the limit) or `power_percent` (of the limit, at least the power of an idle context).
    `power_limit_percent` is of the device's default limit, `airflow_percent` of proper cooling. `beats` nest,
    the slowest first.
    """

    name: str
    presence: Presence = Presence.PROCESS
    gpu_utilization_percent: float = 0.0
    gpu_memory_percent: float = 0.0
    sm_percent: float = 0.0
    tensor_percent: float = 0.0
    dram_percent: float = 0.0
    load_percent: float | None = None
    power_percent: float | None = None
    pcie_rx_bytes_per_s: float = 0.4e6
    pcie_tx_bytes_per_s: float = 0.3e6
    cpu_percent: float = 0.0
    busy_cores_per_gpu: float = 0.0
    ram_percent: float = 4.0
    power_limit_percent: float = 100.0
    airflow_percent: float = 100.0
    utilization_noise: float = 2.0
    memory_rise_ms: int | None = 5_000
    beats: tuple[Beat, ...] = ()

    def __post_init__(self) -> None:
        periods_ms = [beat.every_ms for beat in self.beats]
        if sorted(periods_ms, reverse=True) != periods_ms:
            raise ValueError(f"{self.name}: beats come with the slowest first")
        shortest_ms = min((500 if beat.sawtooth else beat.every_ms for beat in self.beats), default=0)
        if periods_ms and periods_ms[0] > 1000 * shortest_ms:
            raise ValueError(f"{self.name}: the slowest beat is more than 1,000 times as long as the fastest")


QUANTITIES: Mapping[str, str] = {
    re.sub(r"_percent$|_bytes_per_s$", "", field): field
    for field in Shape.__struct_fields__
    if field.endswith(("_percent", "_bytes_per_s"))
}
"""What a phase may override: the word in a scenario (`gpu_memory`) and the field it stands for."""


# One optimiser step: 10.4 s on the 70-billion model, its last quarter 16 % below, now and then 20-30 %.
_STEP = Beat(every_ms=10_400, lasts_ms=(2_400, 2_600), activity=(0.62, 0.81))
# Checkpoints: 18-40 s at a third of the power, the state going out at 1-4 GB/s.
_CHECKPOINT = Beat(
    every_ms=344_000, lasts_ms=(18_000, 40_000), activity=(0.10, 0.20), jitter=0.01,
    gpu_utilization_percent=(3, 22), pcie_tx_bytes_per_s=(1.0e9, 4.0e9),
)  # fmt: skip

# Load that looks even is not: batches differ.
_BATCHES = Beat(every_ms=19_000, lasts_ms=(3_000, 12_000), activity=(0.955, 0.99), jitter=0.3)
# One file of weights after another.
_FILES = Beat(every_ms=9_000, lasts_ms=(700, 2_400), activity=(0.7, 0.9), jitter=0.3, pcie_rx_bytes_per_s=(40e6, 700e6))

_TRAIN_LLM = Shape(
    name="train-llm", gpu_utilization_percent=99.0, gpu_memory_percent=84, sm_percent=90, tensor_percent=41,
    dram_percent=50, pcie_rx_bytes_per_s=0.8e6, pcie_tx_bytes_per_s=0.6e6, cpu_percent=3,
    busy_cores_per_gpu=1.3, ram_percent=24, utilization_noise=1.0, memory_rise_ms=12_000,
    beats=(replace(_CHECKPOINT, every_ms=604_000), _STEP),
)  # fmt: skip

_BUILT_IN = (
    Shape(name="bare-idle", presence=Presence.BARE, memory_rise_ms=0, cpu_percent=1.2),
    Shape(name="context", gpu_memory_percent=0.8, cpu_percent=2, busy_cores_per_gpu=0.9, ram_percent=7),
    Shape(
        name="load-weights", gpu_utilization_percent=6, gpu_memory_percent=72, sm_percent=2, tensor_percent=0,
        dram_percent=6, load_percent=13, pcie_rx_bytes_per_s=2.6e9, pcie_tx_bytes_per_s=2e6, cpu_percent=6,
        busy_cores_per_gpu=2.0, ram_percent=22, utilization_noise=5, memory_rise_ms=None,
        beats=(_FILES,),
    ),
    _TRAIN_LLM,
    Shape(
        name="train-vision", gpu_utilization_percent=96, gpu_memory_percent=71, sm_percent=78,
        tensor_percent=22,
        dram_percent=58, pcie_rx_bytes_per_s=190e6, pcie_tx_bytes_per_s=1e6, cpu_percent=18,
        busy_cores_per_gpu=4.5, ram_percent=31, utilization_noise=3, memory_rise_ms=8_000,
        beats=(
            _CHECKPOINT,
            Beat(
                every_ms=6_200, lasts_ms=(500, 1_300), activity=(0.35, 0.75), jitter=0.15,
                gpu_utilization_percent=(68, 88),
            ),
        ),
    ),
    Shape(
        name="eval", gpu_utilization_percent=97, gpu_memory_percent=78, sm_percent=80, tensor_percent=34,
        dram_percent=50, pcie_rx_bytes_per_s=4e6, pcie_tx_bytes_per_s=2e6, cpu_percent=5,
        busy_cores_per_gpu=1.5,
        ram_percent=25, beats=(_BATCHES,),
    ),
    Shape(
        name="checkpoint", gpu_utilization_percent=9, gpu_memory_percent=84, sm_percent=6, tensor_percent=0.5,
        dram_percent=8, load_percent=15, pcie_rx_bytes_per_s=3e6, pcie_tx_bytes_per_s=2.8e9, cpu_percent=9,
        busy_cores_per_gpu=1.5, ram_percent=38, utilization_noise=7,
    ),
    Shape(
        name="prefill", gpu_utilization_percent=99, gpu_memory_percent=88, sm_percent=92, tensor_percent=50,
        dram_percent=45, pcie_rx_bytes_per_s=6e6, pcie_tx_bytes_per_s=3e6, cpu_percent=4,
        busy_cores_per_gpu=1.2,
        ram_percent=16, utilization_noise=1, beats=(_BATCHES,),
    ),
    Shape(
        name="decode", gpu_utilization_percent=98, gpu_memory_percent=90, sm_percent=60, tensor_percent=4,
        dram_percent=62, pcie_rx_bytes_per_s=2e6, pcie_tx_bytes_per_s=4e6, cpu_percent=4,
        busy_cores_per_gpu=1.2,
        ram_percent=16, utilization_noise=2,
        beats=(_BATCHES, Beat(every_ms=4_100, lasts_ms=(400, 1_100), activity=(0.55, 0.97), jitter=0.4)),
    ),
    Shape(
        name="inference", gpu_utilization_percent=97, gpu_memory_percent=90, sm_percent=62, tensor_percent=12,
        dram_percent=58, pcie_rx_bytes_per_s=5e6, pcie_tx_bytes_per_s=6e6, cpu_percent=6,
        busy_cores_per_gpu=0.6,
        ram_percent=16, utilization_noise=3,
        beats=(
            Beat(
                every_ms=26_000, lasts_ms=(6_000, 19_000), activity=(0.0, 0.04), jitter=0.2,
                gpu_utilization_percent=(0, 3),
            ),
            Beat(every_ms=5_400, lasts_ms=(500, 1_400), activity=(1.25, 1.6), jitter=0.3),
        ),
    ),
    Shape(
        name="data-starved", gpu_utilization_percent=88, gpu_memory_percent=46, sm_percent=70,
        tensor_percent=20,
        dram_percent=50, pcie_rx_bytes_per_s=85e6, pcie_tx_bytes_per_s=0.8e6, cpu_percent=91,
        busy_cores_per_gpu=0.5, ram_percent=44, utilization_noise=6,
        beats=(
            Beat(
                every_ms=7_600, lasts_ms=(3_600, 5_400), activity=(0.02, 0.06), jitter=0.2, sawtooth=True,
                gpu_utilization_percent=(0, 9), pcie_rx_bytes_per_s=(1e6, 5e6),
            ),
        ),
    ),
    # A collective that spins: every kernel slot taken, no arithmetic, 20-35 % of the power limit, of which this is
    # the middle. On small boards an idle context alone takes more.
    Shape(
        name="hang", gpu_utilization_percent=100, gpu_memory_percent=84, sm_percent=14, tensor_percent=0,
        dram_percent=0.4, power_percent=27.5, cpu_percent=1.5, busy_cores_per_gpu=1.0, ram_percent=24,
        utilization_noise=0,
    ),
    Shape(
        name="oom", gpu_utilization_percent=98, gpu_memory_percent=100, sm_percent=86, tensor_percent=38,
        dram_percent=50, pcie_rx_bytes_per_s=0.9e6, pcie_tx_bytes_per_s=0.6e6, cpu_percent=3,
        busy_cores_per_gpu=1.3, ram_percent=24, memory_rise_ms=None, beats=(_STEP,),
    ),
    Shape(
        name="idle-between-kernels", gpu_utilization_percent=2, gpu_memory_percent=52, sm_percent=0.6,
        tensor_percent=0.1, dram_percent=0.5, load_percent=5, cpu_percent=3, busy_cores_per_gpu=0.4,
        ram_percent=14, utilization_noise=2,
    ),
    Shape(name="lost", presence=Presence.LOST, cpu_percent=2, busy_cores_per_gpu=0.2, ram_percent=20),
)  # fmt: skip
SHAPES: dict[str, Shape] = {shape.name: shape for shape in _BUILT_IN}
