"""What a metrics answer costs: `python -m benchmarks.telemetry`.

Twelve series of a training run, in 240 and in 11,000 points: computing them, encoding them, and beside it
what orjson alone takes for the same body from ready-made lists of dicts. Best of many rounds, all measured in
turn, since only ratios within one run count.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson

from emulator.hardware.devices import DEVICES
from emulator.telemetry.body import metrics_body
from emulator.telemetry.series import sample
from emulator.telemetry.shapes import SHAPES
from emulator.telemetry.signals import Signals
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Phase, Workload

START_MS = 1_767_225_600_000
NOW_MS = START_MS + 10 * 86_400_000
SECONDS_PER_CASE = 3.0


def training(gpus: int) -> Workload:
    """Start-up, then training with checkpoints: a run as most are."""
    phases = (
        Phase(SHAPES["context"], 120_000),
        Phase(SHAPES["load-weights"], 60_000),
        Phase(SHAPES["train-llm"]),
    )
    return Workload(
        seed=7,
        device=DEVICES["h100-sxm"],
        gpus=gpus,
        ram_bytes=200 << 30,
        vcpus=24,
        phases=phases,
        exists_from_ms=START_MS,
        running_from_ms=START_MS,
    )


def best_ms(*timed: Callable[[], object]) -> list[float]:
    """Milliseconds of each, the best of rounds in which they take turns."""
    best = [float("inf")] * len(timed)
    end = time.perf_counter() + SECONDS_PER_CASE
    while time.perf_counter() < end:
        for index, run in enumerate(timed):
            start = time.perf_counter()
            run()
            best[index] = min(best[index], time.perf_counter() - start)
    return [1000 * seconds for seconds in best]


def row(gpus: int, points: int, step_ms: int) -> str:
    workload = training(gpus)
    window = Window(START_MS, START_MS + (points - 1) * step_ms, step_ms)
    sampled = sample(workload, window, NOW_MS)
    body = metrics_body("id", "host", "a", "b", sampled)
    ready = orjson.loads(body)
    compute, encode, plain = best_ms(
        lambda: sample(workload, window, NOW_MS),
        lambda: metrics_body("id", "host", "a", "b", sampled),
        lambda: orjson.dumps(ready),
    )
    ratio = (compute + encode) / plain
    figures = f"{compute:.3f} | {encode:.3f} | {plain:.3f} | {ratio:.2f}"
    return f"| {gpus} | {points:,} | {len(body):,} | {figures} |"


def main() -> None:
    print("| GPUs | points | bytes | compute ms | encode ms | orjson of ready dicts ms | ratio |")
    print("|---|---|---|---|---|---|---|")
    for gpus, points, step_ms in ((1, 240, 15_000), (1, 11_000, 1000), (8, 240, 15_000), (8, 11_000, 1000)):
        print(row(gpus, points, step_ms))
    (first,) = best_ms(lambda: Signals(training(1)))
    print(f"\nFirst answer about a run: {first:.1f} ms more, for its timeline.")


if __name__ == "__main__":
    main()
