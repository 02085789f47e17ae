"""What a metrics answer costs in the process: twelve series of a training run, computed and encoded.

Beside it, what orjson takes to encode the same body from ready-made lists of dicts.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from benchmarks.effort import Effort
from benchmarks.table import Line, Row
from benchmarks.timing import best_ms
from emulator.hardware.devices import DEVICES
from emulator.telemetry.body import metrics_body
from emulator.telemetry.series import sample
from emulator.telemetry.shapes import SHAPES
from emulator.telemetry.signals import Signals
from emulator.telemetry.window import Window
from emulator.telemetry.workload import Phase, Workload

START_MS = 1_767_225_600_000
NOW_MS = START_MS + 10 * 86_400_000
TEXT_MB_PER_S = 400.0
_LONG_BYTES = 1_000_000
CASES = ((1, 240, 15_000, 2.0), (1, 11_000, 1000, None), (8, 240, 15_000, None), (8, 11_000, 1000, None))


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


def rows(effort: Effort) -> Iterator[Line]:
    for gpus, points, step_ms, allowed in CASES:
        workload = training(gpus)
        window = Window(START_MS, START_MS + (points - 1) * step_ms, step_ms)
        measured = f"12 x {points:,} points, {gpus} GPU{'s' * (gpus > 1)}"
        yield from _computed_and_written(workload, window, measured, allowed, effort)
    first, again = best_ms(
        lambda: Signals(training(1)),
        lambda: sample(training(1), Window(START_MS, START_MS, 1), NOW_MS),
        seconds=effort.seconds,
    )
    yield Row("the timeline of a run, once", first, "ms", "an answer of one instant", again)


def _computed_and_written(
    workload: Workload, window: Window, measured: str, allowed: float | None, effort: Effort
) -> Iterator[Row]:
    sampled = sample(workload, window, NOW_MS)
    body = metrics_body("id", "host", "a", "b", sampled)
    ready = orjson.loads(body)
    compute, encode, plain = best_ms(
        lambda: sample(workload, window, NOW_MS),
        lambda: metrics_body("id", "host", "a", "b", sampled),
        lambda: orjson.dumps(ready),
        seconds=effort.seconds,
    )
    parts = f"compute {compute:.3f}, encode {encode:.3f}"
    yield Row(measured, compute + encode, "ms", "orjson, from dicts", plain, at_most=allowed, note=parts)
    if len(body) > _LONG_BYTES:
        speed = len(body) / encode / 1000
        yield Row(f"{measured}: its text", speed, "MB/s", at_least=TEXT_MB_PER_S, note=f"{len(body) / 1e6:.1f} MB")
