"""Time under the manual clock: a day of training from submission to its last line, and a step with many runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from statistics import median

from benchmarks.client import Client
from benchmarks.effort import Effort
from benchmarks.emulated import BASE, advance, emulator, fill, submit
from benchmarks.progress import tell
from benchmarks.table import Line, Row

_ADVANCE = "/_emulator/clock/advance"


def rows(effort: Effort) -> Iterator[Line]:
    with emulator() as one, emulator() as other:
        both = small, large = Client(one.port), Client(other.port)
        a_day = median_ms(lambda: _a_day(small), effort.repeats)
        note = "submit, advance to the end, record, timing, stream of 1,440 lines, metrics of 289 points"
        yield Row("a run of 24 h, from start to end", a_day, "ms", note=note)
        tell(f"storing {effort.stored:,} runs")
        fill(large, effort.stored)
        empty, first = _advance_ms(both, "1ms", 1)
        yield Row(f"advance, first, {effort.stored:,} active runs", first, "ms", "few runs", empty)
        few, many = _advance_ms(both, "1s", effort.repeats)
        yield Row(f"advance by 1 s, {effort.stored:,} active runs", many, "ms", "few runs", few)
        few, many = _advance_ms(both, "1h", effort.repeats)
        yield Row(f"advance by 1 h, {effort.stored:,} runs that are over", many, "ms", "few runs", few)


def _advance_ms(clients: Iterable[Client], by: str, repeats: int) -> list[float]:
    return [median_ms(partial(advance, client, by), repeats) for client in clients]


def _a_day(client: Client) -> None:
    run = submit(client, scenario="training")
    client.ask(_ADVANCE, json.dumps({"execution_id": run, "until": "terminal"}).encode())
    for path in (f"{run}", f"{run}/timing", f"{run}/metrics?step=5m"):
        client.ask(f"{BASE}/execution/{path}")
    client.ask(f"/api/v1/stream/{run}", b"")


def median_ms(timed: Callable[[], object], repeats: int) -> float:
    """Milliseconds that it takes, the median of so many times."""
    taken = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        timed()
        taken.append(1000 * (time.perf_counter() - start_s))
    return median(taken)
