"""Values that users may have pinned do not change by accident.

After a change that is meant to move them: `python -m tests.telemetry.test_golden` writes the file anew. Such
a change is worth a line in the changelog.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator.hardware.devices import DEVICES
from emulator.telemetry.series import sample
from emulator.telemetry.workload import Override
from tests.telemetry.workloads import FAR_MS, lasting, window, workload

FILE = Path(__file__).parent / "golden.json"

RUNS = {
    "training on one H100": workload(lasting("context", 30), lasting("load-weights", 60), "train-llm", seed=7),
    "inference on two A100": workload("inference", device=DEVICES["a100-80-sxm"], gpus=2, seed=8),
    "a starved T4 without air": workload(
        lasting("prefill", 600, Override("airflow_percent", 50, 50)), device=DEVICES["t4"], seed=9
    ),
    "a CPU machine": workload("data-starved", device=None, seed=10),
}


def measured() -> dict[str, Any]:
    return {
        name: {series: points.values.tolist() for series, points in sample(run, window(330, 30_000), FAR_MS).items()}
        for name, run in RUNS.items()
    }


def test_values_are_those_of_the_last_version() -> None:
    assert measured() == json.loads(FILE.read_text())


def test_the_file_is_more_than_constants() -> None:
    assert len({json.dumps(series) for run in measured().values() for series in run.values()}) > 20


if __name__ == "__main__":
    FILE.write_text(json.dumps(measured(), indent=1) + "\n")
