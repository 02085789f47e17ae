"""The emulator's fleet beside a published one: `python -m benchmarks.telemetry_calibration` prints the table.

The mixes of workloads, and the reason for each share, are in `tests/telemetry/fleets.yaml`. Their weights were
fitted on other runs (`benchmarks.telemetry_fit`) than those of this table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from emulator.hardware.devices import DEVICES
from emulator.noise import uniform
from emulator.telemetry.noise import Floats
from emulator.telemetry.series import sample
from emulator.telemetry.shapes import SHAPES
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Phase, Workload

FLEETS = Path(__file__).parent.parent / "tests" / "telemetry" / "fleets.yaml"
FITTED_ON, HELD_OUT = 0, 1_000_000_000
"""Where the seeds start of the runs that weights are fitted on, and of those that they are judged by."""

SERIES = {"power_w": "gpuPowerWatt", "temperature_celsius": "gpuTemperatureCelsius"}
UTILIZATION = "gpuUtilizationPercent"
START_MS = 1_767_225_600_000
_RUNS_PER_SHARE = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one quantity, as published and as emulated, and whether it is near enough."""

    fleet: str
    quantity: str
    figure: str
    published: str
    emulated: float
    allowed: str
    met: bool

    def __str__(self) -> str:
        verdict = "yes" if self.met else "**no**"
        figures = f"{self.figure} | {self.published} | {self.emulated:.1f} | {self.allowed} | {verdict}"
        return f"| {self.fleet} | {self.quantity} | {figures} |"


def fleets() -> dict[str, Any]:
    """The mixes, by name of the cluster."""
    loaded: dict[str, Any] = yaml.safe_load(FLEETS.read_text())
    return loaded


def seen(shape: str, runs: range) -> dict[str, Floats]:
    """Values every 15 s of one device per run; a run is seen for ten minutes, somewhere in its first day."""
    collected: dict[str, list[Floats]] = {name: [] for name in (*SERIES.values(), UTILIZATION)}
    for seed in runs:
        workload = Workload(
            seed=seed,
            device=DEVICES["a100-80-sxm"],
            ram_bytes=1 << 40,
            vcpus=128,
            phases=(Phase(SHAPES[shape]),),
            exists_from_ms=START_MS,
            running_from_ms=START_MS,
        )
        start_ms = START_MS + int(86_400_000 * uniform(seed, 1))
        sampled = sample(workload, Window(start_ms, start_ms + 600_000, 15_000), start_ms + 600_000)
        for name, values in collected.items():
            values.append(sampled[name].values)
    return {name: np.concatenate(values) for name, values in collected.items()}


def samples(mix: list[dict[str, Any]]) -> dict[str, Floats]:
    """What a fleet of held-out runs shows."""
    parts = []
    for number, part in enumerate(part for part in mix if part["share"]):
        first = HELD_OUT + number * 100_000
        parts.append(seen(part["shape"], range(first, first + part["share"] * _RUNS_PER_SHARE)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def rows(name: str, fleet: dict[str, Any]) -> Iterator[Row]:
    """Percentiles of power and temperature, and what makes utilisation bimodal."""
    shown = samples(fleet["mix"])
    for percentile, published in fleet["published"]["power_w"].items():
        watts = float(np.percentile(shown[SERIES["power_w"]], int(percentile[1:])))
        near = abs(watts / published - 1) <= 0.15
        yield Row(name, "power, W", percentile, f"{published}", watts, "±15 %", near)
    for percentile, published in fleet["published"]["temperature_celsius"].items():
        celsius = float(np.percentile(shown[SERIES["temperature_celsius"]], int(percentile[1:])))
        near = abs(celsius - published) <= 5.0
        yield Row(name, "temperature, °C", percentile, f"{published}", celsius, "±5", near)
    utilization = shown[UTILIZATION]
    zeros, median = 100.0 * float(np.mean(utilization == 0)), float(np.median(utilization))
    yield Row(name, "utilisation, %", "share of zeros", "25", zeros, "20-30", 20 <= zeros <= 30)
    yield Row(name, "utilisation, %", "p50", "97-99", median, "97-99", 97 <= median <= 99)


def table() -> str:
    lines = ["| fleet | quantity | | published | emulated | allowed | met |", "|---|---|---|---|---|---|---|"]
    lines += [str(row) for name, fleet in fleets().items() for row in rows(name, fleet)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
