"""Load from wrk, in slices that contenders take in turn: only ratios within one run count."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.client import Client, authorized
from benchmarks.effort import Effort
from benchmarks.errors import UnexpectedAnswer
from benchmarks.server import Server

SCRIPT = Path(__file__).with_name("load.lua")
_THREADS = 2
_TIMEOUT_S = 10  # an answer that is late shows in the p99; only one that never comes spoils a slice
_FIGURES = re.compile(
    r"^FIGURES requests=(\d+) us=(\d+) p50_us=(\d+) p99_us=(\d+) refused=(\d+) broken=(\d+)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, to each of `paths` in turn; every answer has to have this `status`."""

    paths: tuple[str, ...]
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=authorized)
    status: int = 200

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    @property
    def all_headers(self) -> dict[str, str]:
        return dict(self.headers) if self.body is None else {"Content-Type": "application/json"} | dict(self.headers)


@dataclass(frozen=True, slots=True)
class Load:
    """One slice: throughput, latency, and CPU time of the server for a request."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Contender:
    """A server and what it is asked; `prepare` is called before each slice and not timed.

    `warm_up_s` is how long it runs before anything counts.
    """

    name: str
    server: Server
    request: Request
    prepare: Callable[[], object] = lambda: None
    warm_up_s: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """All slices of a contender, in the order of the rounds."""

    name: str
    loads: tuple[Load, ...]

    def median(self, figure: Callable[[Load], float]) -> float:
        return median(map(figure, self.loads))

    def ratio(self, other: Result, figure: Callable[[Load], float]) -> float:
        """Ours by theirs, the median of the rounds."""
        return median(figure(ours) / figure(theirs) for ours, theirs in zip(self.loads, other.loads, strict=True))

    @property
    def requests_per_s(self) -> float:
        return self.median(lambda load: load.requests_per_s)

    @property
    def p50_ms(self) -> float:
        return self.median(lambda load: load.p50_ms)

    @property
    def p99_ms(self) -> float:
        return self.median(lambda load: load.p99_ms)

    @property
    def cpu_us(self) -> float:
        return self.median(lambda load: load.cpu_us)


def in_turn(
    contenders: Sequence[Contender], effort: Effort, *, connections: int, warm_up: bool = True
) -> dict[str, Result]:
    """The results by name. What comes before the rounds lets compilers and caches of all settle."""
    if warm_up:
        for contender in contenders:
            _slice(contender, connections, contender.warm_up_s)
    rounds = [
        [_slice(contender, connections, effort.seconds) for contender in contenders] for _ in range(effort.rounds)
    ]
    return {
        contender.name: Result(contender.name, loads)
        for contender, loads in zip(contenders, zip(*rounds, strict=True), strict=True)
    }


def _slice(contender: Contender, connections: int, seconds: int) -> Load:
    contender.prepare()
    server, request = contender.server, contender.request
    send_once(server, request)  # wrk cannot tell what came instead of the answer that was expected
    before_s = server.cpu_s
    written = _wrk(server, request, connections, seconds)
    cpu_s = server.cpu_s - before_s
    return load_of(written, cpu_s, refused=request.status >= 400)


def send_once(server: Server, request: Request) -> bytes:
    """The answer's body. Raises UnexpectedAnswer."""
    with Client(server.port, key=None) as client:
        return client.ask(request.paths[0], request.body, headers=request.all_headers, status=request.status)


def _wrk(server: Server, request: Request, connections: int, seconds: int) -> str:
    with TemporaryDirectory() as directory:
        paths, body = Path(directory, "paths"), Path(directory, "body")
        paths.write_text("\n".join(request.paths) + "\n")
        body.write_bytes(request.body or b"")
        options: list[str | Path] = [
            f"-t{_THREADS}",
            f"-c{connections}",
            f"-d{seconds}s",
            f"--timeout={_TIMEOUT_S}s",
            "-s",
            SCRIPT,
            f"http://127.0.0.1:{server.port}",
        ]
        headers = [part for header in request.all_headers.items() for part in header]
        arguments = [request.method, paths, "-" if request.body is None else body, *headers]
        ended = subprocess.run(["wrk", *options, "--", *arguments], capture_output=True, text=True, check=True)
        return ended.stdout


def load_of(written: str, cpu_s: float, *, refused: bool) -> Load:
    """What wrk and `load.lua` wrote, as figures.

    Raises UnexpectedAnswer where answers were lost, or not all of the kind that was asked for (`refused`: 400 and up).
    """
    found = _FIGURES.search(written)
    if found is None:
        raise UnexpectedAnswer(f"wrk wrote no figures: {written[-500:]}")
    requests, us, p50_us, p99_us, of_400_and_up, broken = map(int, found.groups())
    if broken or not requests or of_400_and_up != (requests if refused else 0):
        raise UnexpectedAnswer(f"of {requests} answers {of_400_and_up} were refusals, {broken} were lost")
    return Load(requests / us * 1e6, p50_us / 1000, p99_us / 1000, cpu_s / requests * 1e6)
