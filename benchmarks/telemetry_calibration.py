"""The emulator's fleet beside a published one: `python -m benchmarks.telemetry_calibration` prints the table.

The mixes of workloads, and the reason for each share, are in `tests/telemetry/fleets.yaml`.
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
RUNS_PER_SHARE = 4
SERIES = {"power_w": "gpuPowerWatt", "temperature_celsius": "gpuTemperatureCelsius"}
START_MS = 1_767_225_600_000


@dataclass(frozen=True, slots=True)
class Row:
    """One percentile of one quantity: as published, and as emulated."""

    fleet: str
    quantity: str
    percentile: str
    published: float
    emulated: float


def fleets() -> dict[str, Any]:
    """The mixes, by name of the cluster."""
    loaded: dict[str, Any] = yaml.safe_load(FLEETS.read_text())
    return loaded


def samples(mix: list[dict[str, Any]]) -> dict[str, Floats]:
    """Values every 15 s of one device per run; a run is seen for ten minutes, somewhere in its first day."""
    names = (*SERIES.values(), "gpuUtilizationPercent")
    collected: dict[str, list[Floats]] = {name: [] for name in names}
    for number, part in enumerate(mix):
        for run in range(part["share"] * RUNS_PER_SHARE):
            seed = number * 100_000 + run
            workload = Workload(
                seed=seed,
                device=DEVICES["a100-80-sxm"],
                ram_bytes=1 << 40,
                vcpus=128,
                phases=(Phase(SHAPES[part["shape"]]),),
                exists_from_ms=START_MS,
                running_from_ms=START_MS,
            )
            start_ms = START_MS + int(86_400_000 * uniform(seed, 1))
            seen = sample(workload, Window(start_ms, start_ms + 600_000, 15_000), start_ms + 600_000)
            for name in names:
                collected[name].append(seen[name].values)
    return {name: np.concatenate(values) for name, values in collected.items()}


def rows(name: str, fleet: dict[str, Any], seen: dict[str, Floats]) -> Iterator[Row]:
    """The percentiles of power and temperature."""
    for quantity, published in fleet["published"].items():
        for percentile, value in published.items():
            emulated = float(np.percentile(seen[SERIES[quantity]], int(percentile[1:])))
            yield Row(name, quantity, percentile, value, emulated)


def main() -> None:
    print("| fleet | quantity | percentile | published | emulated |")
    print("|---|---|---|---|---|")
    for name, fleet in fleets().items():
        seen = samples(fleet["mix"])
        for row in rows(name, fleet, seen):
            print(f"| {row.fleet} | {row.quantity} | {row.percentile} | {row.published} | {row.emulated:.1f} |")
        utilization = seen["gpuUtilizationPercent"]
        print(f"| {name} | utilisation | share of zeros | 25 % | {100 * np.mean(utilization == 0):.0f} % |")
        print(f"| {name} | utilisation | p50 | 97-99 | {np.median(utilization):.0f} |")


if __name__ == "__main__":
    main()
