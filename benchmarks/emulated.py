"""The emulator under measurement: one worker, the journal of requests on, no access log."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.client import Client
from benchmarks.load import Request
from benchmarks.server import Launch, Server, running
from emulator.times import format_instant, parse_instant_ms

NAME = "the emulator"
HEALTH = "/_emulator/health"
BASE = "/api/v2/external"
START = f"{BASE}/execution/streaming/start"
ACTIVE = 20
"""So many runs are active in every store, beside those that are over: what a list answers."""

SCENARIOS = Path(__file__).parent / "scenarios"
_HOUR_S = 3600
_POINTS, _STEP_S = 240, 15


def launch(clock: str = "manual", *, scenarios: bool = True) -> Launch:
    """How the emulator is started: with the scenarios of the benchmarks, or as a user does who has none."""
    command = Path(sys.executable).with_name("lyceum-emulator")
    options = ["--port", "{port}", "--no-access-log", "--clock", clock]
    if scenarios:
        options += ["--scenarios", str(SCENARIOS)]
    return Launch(NAME, [str(command), "serve", *options], HEALTH)


@contextmanager
def emulator(clock: str = "manual") -> Iterator[Server]:
    with running(launch(clock)) as server:
        yield server


def submission(number: int = 0, scenario: str | None = None) -> bytes:
    """A start as clients send it, about 400 bytes; each number makes another code, so that no two runs share one."""
    body = {
        "code": f"import torch\n\nprint('run', {number})\n" + "print(torch.cuda.get_device_name(0))\n" * 4,
        "file_name": "train.py",
        "execution_type": "gpu.h100",
        "timeout": 60,
        "requirements_content": "torch==2.9.0\n",
        "run_name": f"train-{number}",
        "labels": ["nightly"],
        "metadata": {"team": "vision"} | ({} if scenario is None else {"emulator.scenario": scenario}),
    }
    return json.dumps(body).encode()


def submit(client: Client, number: int = 0, scenario: str | None = None) -> str:
    """Start a run; its id."""
    execution_id: str = json.loads(client.ask(START, submission(number, scenario)))["execution_id"]
    return execution_id


def fill(client: Client, count: int, *, first: int = 0) -> None:
    """Store `count` runs of the tenant's, each of another code."""
    client.post_all(START, map(submission, range(first, first + count)))


def advance(client: Client, by: str) -> None:
    client.ask("/_emulator/clock/advance", json.dumps({"by": by}).encode())


@contextmanager
def store_of(stored: int) -> Iterator[Store]:
    """A server with a store, both as long as the block."""
    with emulator() as server, Client(server.port) as client:
        yield Store(server, client, stored)


class Store:
    """A server with so many runs that are over and some active ones; what can be asked of it."""

    def __init__(self, server: Server, client: Client, stored: int) -> None:
        """`server` has the manual clock and nothing stored yet; `client` is one of its."""
        self.server, self.client, self.stored = server, client, stored
        fill(self.client, stored)
        advance(self.client, "1h")
        active = [submit(self.client, number, "training") for number in range(ACTIVE)]
        advance(self.client, f"{12 * _HOUR_S}s")
        over = json.loads(self.client.ask(f"/_emulator/runs?status=completed&limit={min(stored, 100)}"))["runs"]
        self.requests = _requests(active, [run["execution_id"] for run in over], self._started_s(active[0]))

    def _started_s(self, execution_id: str) -> int:
        shown = json.loads(self.client.ask(f"{BASE}/execution/{execution_id}/metrics?step=1h"))
        return (parse_instant_ms(shown["timeRange"]["start"]) or 0) // 1000

    def empty(self) -> None:
        """Forget all runs of the tenant, and store so many anew."""
        self.client.ask("/_emulator/reset", b"")
        fill(self.client, self.stored)


def _requests(active: list[str], over: list[str], started_s: int) -> Mapping[str, Request]:
    """By the name of what is measured. `submit` is the last: it changes what the others would see."""

    def metrics(execution_id: str, start_s: int) -> str:
        start, end = (format_instant(1000 * at_s) for at_s in (start_s, start_s + (_POINTS - 1) * _STEP_S))
        return f"{BASE}/execution/{execution_id}/metrics?start={start}&end={end}&step={_STEP_S}s"

    # Of another run and another window each: nothing that was computed can be answered again.
    windows = [metrics(active[number % ACTIVE], started_s + 37 * number) for number in range(500)]
    nowhere = f"{BASE}/execution/00000000-0000-5000-8000-000000000000"
    return {
        "record": Request(tuple(f"{BASE}/execution/{execution_id}" for execution_id in over)),
        "list of 20": Request((f"{BASE}/workloads/list",)),
        "timing": Request(tuple(f"{BASE}/execution/{execution_id}/timing" for execution_id in over)),
        "metrics of 240 points": Request(tuple(windows)),
        "404": Request((nowhere,), status=404),
        "422": Request((START,), b'{"code": "print(1)", "timeout": "soon"}', status=422),
        "submit": Request((START,), submission()),
    }
