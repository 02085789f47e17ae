"""A metrics answer over HTTP, beside a Prometheus that holds the same twelve series.

Both are started here, on loopback and free ports, with temporary directories, and asked by one client over one
connection that is kept open: the emulator for all series at once, Prometheus for one after another.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from benchmarks.timing import Row, best_ms
from emulator.telemetry.series import SERIES
from emulator.times import parse_instant_ms
from tests.process import serving

KEY = {"Authorization": "Bearer lk_benchmarks_own_key"}
SCENARIO = """
summary: Training for a day.
timeout: ignore
timeline: [pending: 0s, starting: 0s, running: 24h, completed]
metrics:
  - {phase: start, for: 2m, shape: context}
  - {phase: load, for: 1m, shape: load-weights}
  - {phase: train, shape: train-llm}
"""
CASES = ((240, 15), (11_000, 1))
HOST = "127.0.0.1"


def missing() -> str | None:
    """Why there is nothing to measure here, if so."""
    absent = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    return f"{' and '.join(absent)} not installed (apt-get install prometheus)" if absent else None


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "scenarios").mkdir()
        (root / "scenarios" / "training.yaml").write_text(SCENARIO)
        options = ("--clock", "manual", "--scenarios", root / "scenarios", "--scenario", "training")
        with serving(*options) as server:
            emulator = http.client.HTTPConnection(HOST, server.port)
            start_s, path = _run(emulator)

            def ask(points: int, step_s: int) -> bytes:
                window = f"start={_instant(start_s)}&end={_instant(start_s + (points - 1) * step_s)}&step={step_s}s"
                return _get(emulator, f"{path}?{window}", KEY)

            whole = json.loads(ask(11_000, 1))
            with _prometheus(root, whole) as port:
                prometheus = http.client.HTTPConnection(HOST, port)
                for points, step_s in CASES:
                    yield _row(points, lambda p=points, s=step_s: ask(p, s), prometheus, start_s, step_s)  # type: ignore[misc]


def _row(
    points: int, ask: Callable[[], bytes], prometheus: http.client.HTTPConnection, start_s: int, step_s: int
) -> Row:
    end_s = start_s + (points - 1) * step_s
    queries = [f"/api/v1/query_range?query={n}&start={start_s}&end={end_s}&step={step_s}" for n in SERIES]

    def all_twelve() -> list[bytes]:
        return [_get(prometheus, query) for query in queries]

    answered = [len(json.loads(answer)["data"]["result"][0]["values"]) for answer in all_twelve()]
    served = json.loads(ask())
    assert answered == [len(served[name]) for name in SERIES] == [points] * len(SERIES)
    ours_ms, peer_ms = best_ms(ask, all_twelve, seconds=6.0)
    sizes = f"{len(ask()) / 1e6:.1f} MB against {sum(map(len, all_twelve())) / 1e6:.1f} MB"
    return Row(
        f"12 x {points:,} points over HTTP",
        ours_ms,
        "Prometheus, twelve queries",
        peer_ms,
        1.0 if points > 10_000 else None,
        sizes,
    )


def _run(emulator: http.client.HTTPConnection) -> tuple[int, str]:
    """Starts a run and lets half a day pass: when it started, and where its metrics are."""
    base = "/api/v2/external/execution"
    body = json.dumps({"code": "pass", "execution_type": "gpu.h100"})
    started = json.loads(_send(emulator, f"{base}/streaming/start", body))
    _send(emulator, "/_emulator/clock/advance", json.dumps({"by": "12h"}))
    path = f"{base}/{started['execution_id']}/metrics"
    first = json.loads(_get(emulator, f"{path}?step=1h", KEY))
    return (parse_instant_ms(first["timeRange"]["start"]) or 0) // 1000, path


@contextmanager
def _prometheus(root: Path, served: dict[str, Any]) -> Iterator[int]:
    """A Prometheus with what the emulator served; ends with the block."""
    pages = []
    for name in SERIES:
        points = [f"{name} {point['value']} {_seconds(point['timestamp'])}\n" for point in served[name]]
        pages.append(f"# TYPE {name} gauge\n" + "".join(points))
    (root / "page.txt").write_text("".join(pages) + "# EOF\n")
    (root / "prometheus.yml").write_text("{}\n")
    data = root / "data"
    backfill: list[str | Path] = ["promtool", "tsdb", "create-blocks-from", "openmetrics", root / "page.txt", data]
    subprocess.run(backfill, check=True, stdout=subprocess.DEVNULL)
    port = _free_port()
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={root / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={HOST}:{port}",
            "--log.level=error",
        ]
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            _get(http.client.HTTPConnection(HOST, port), "/-/ready")
        except (OSError, AssertionError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("Prometheus did not get ready")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def _get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str] | None = None) -> bytes:
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


def _send(connection: http.client.HTTPConnection, path: str, body: str) -> bytes:
    connection.request("POST", path, body, KEY | {"Content-Type": "application/json"})
    answer = connection.getresponse()
    read = answer.read()
    assert answer.status == 200, read
    return read


def _instant(second: int) -> str:
    return quote(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)))


def _seconds(instant: str) -> float:
    return (parse_instant_ms(instant) or 0) / 1000
