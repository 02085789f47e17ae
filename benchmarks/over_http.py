"""A metrics answer over HTTP, beside a Prometheus that holds the same twelve series.

Both are started here, on loopback and free ports, with temporary directories, and asked by one client over one
connection that is kept open: the emulator for all series at once, Prometheus for one after another.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from benchmarks.client import HOST, Client
from benchmarks.effort import Effort
from benchmarks.emulated import BASE, advance, emulator, submit
from benchmarks.server import Launch, missing_commands, running
from benchmarks.table import Line, Row, Skipped
from benchmarks.timing import best_ms
from emulator.series_names import SERIES_NAMES
from emulator.times import parse_instant_ms

CASES = ((240, 15, None), (11_000, 1, 0.9))
"""Points of each series, the step in seconds, and how long ours may take by Prometheus's time."""


def rows(effort: Effort) -> Iterator[Line]:
    if reason := missing_commands("prometheus", "promtool"):
        yield Skipped("metrics beside Prometheus", f"{reason} (apt-get install prometheus)")
        return
    with TemporaryDirectory() as directory, emulator() as server:
        client = Client(server.port)
        path = f"{BASE}/execution/{submit(client, scenario='training')}/metrics"
        advance(client, "12h")
        shown = json.loads(client.ask(f"{path}?step=1h"))
        start_s = (parse_instant_ms(shown["timeRange"]["start"]) or 0) // 1000

        def ask(points: int, step_s: int) -> bytes:
            window = f"start={_instant(start_s)}&end={_instant(start_s + (points - 1) * step_s)}&step={step_s}s"
            return client.ask(f"{path}?{window}")

        with _prometheus(Path(directory), json.loads(ask(11_000, 1))) as prometheus:
            for points, step_s, allowed in CASES:
                yield _row(points, step_s, partial(ask, points, step_s), prometheus, start_s, allowed, effort)


def _row(
    points: int,
    step_s: int,
    ask: Callable[[], bytes],
    prometheus: Client,
    start_s: int,
    allowed: float | None,
    effort: Effort,
) -> Row:
    end_s = start_s + (points - 1) * step_s
    queries = [f"/api/v1/query_range?query={n}&start={start_s}&end={end_s}&step={step_s}" for n in SERIES_NAMES]

    def all_twelve() -> list[bytes]:
        return [prometheus.ask(query) for query in queries]

    answered = [len(json.loads(answer)["data"]["result"][0]["values"]) for answer in all_twelve()]
    served = json.loads(ask())
    assert answered == [len(served[name]) for name in SERIES_NAMES] == [points] * len(SERIES_NAMES)
    ours_ms, peer_ms = best_ms(ask, all_twelve, seconds=3.0 * effort.seconds)
    sizes = f"{len(ask()) / 1e6:.1f} MB against {sum(map(len, all_twelve())) / 1e6:.1f} MB"
    measured = f"12 x {points:,} points over HTTP"
    return Row(measured, ours_ms, "ms", "Prometheus, twelve queries", peer_ms, at_most=allowed, note=sizes)


@contextmanager
def _prometheus(root: Path, served: dict[str, Any]) -> Iterator[Client]:
    """A Prometheus with what the emulator served; ends with the block."""
    pages = []
    for name in SERIES_NAMES:
        points = [f"{name} {point['value']} {_seconds(point['timestamp'])}\n" for point in served[name]]
        pages.append(f"# TYPE {name} gauge\n" + "".join(points))
    (root / "page.txt").write_text("".join(pages) + "# EOF\n")
    (root / "prometheus.yml").write_text("{}\n")
    data = root / "data"
    backfill: list[str | Path] = ["promtool", "tsdb", "create-blocks-from", "openmetrics", root / "page.txt", data]
    subprocess.run(backfill, check=True, stdout=subprocess.DEVNULL)
    command = [
        "prometheus",
        f"--config.file={root / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={HOST}:{{port}}",
        "--log.level=error",
    ]
    with running(Launch("Prometheus", command, "/-/ready")) as server:
        yield Client(server.port, key=None)


def _instant(second: int) -> str:
    return quote(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)))


def _seconds(instant: str) -> float:
    return (parse_instant_ms(instant) or 0) / 1000
