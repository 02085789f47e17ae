"""What a server costs before anybody uses it: time to its first answers, and memory at rest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.effort import Effort
from benchmarks.emulated import NAME, START, launch, submission
from benchmarks.errors import Unmeasurable
from benchmarks.load import Request, send_once
from benchmarks.peers import PEERS, UVICORN, ready, write_all_stubs
from benchmarks.progress import tell
from benchmarks.server import Launch, running
from benchmarks.table import Line, Row, Skipped

_IDLE_AT_MOST_MB = 80.0
_SETTLED_S = 0.5


class _Starts:
    """One server, started again and again."""

    def __init__(self, launch: Launch, submit: Request) -> None:
        self.launch, self._submit = launch, submit
        self.up_ms: list[float] = []
        self.submitted_ms: list[float] = []
        self.memory_mb: list[float] = []

    def once(self, *, counted: bool) -> None:
        """Start it, submit a run, wait a moment and weigh it. The first time compiles and reads from disk, and does
        not count. Raises Unmeasurable.
        """
        with running(self.launch) as server:
            send_once(server, self._submit)
            submitted_ms = 1000 * (time.perf_counter() - server.started_s)
            time.sleep(_SETTLED_S)
            if counted:
                self.up_ms.append(server.start_ms)
                self.submitted_ms.append(submitted_ms)
                self.memory_mb.append(server.memory_mb)


def rows(effort: Effort) -> Iterator[Line]:
    with TemporaryDirectory() as directory:
        stubs = Path(directory)
        requests = write_all_stubs(stubs)
        starts = {NAME: _Starts(launch(scenarios=False), Request((START,), submission()))}
        for peer, problem in ready(PEERS):
            if problem is not None:
                yield Skipped(f"start of {peer.title}", problem)
                continue
            starts[peer.name] = _Starts(peer.launch(stubs), peer.adapts(requests)["submit"])
        for number in range(effort.rounds + 1):
            tell(f"starting all, round {number} of {effort.rounds}" if number else "starting all, not counted")
            for name, each in list(starts.items()):
                try:
                    each.once(counted=number > 0)
                except Unmeasurable as error:
                    if name == NAME:
                        raise
                    yield Skipped(f"start of {name}", str(error))
                    del starts[name]
        yield from _compared(starts)


def _compared(starts: Mapping[str, _Starts]) -> Iterator[Row]:
    ours = starts[NAME]
    for name, theirs in starts.items():
        if name != NAME:
            yield Row(
                "start to the first 200",
                *(median(ours.up_ms), "ms", name, median(theirs.up_ms)),
                paired=_paired(ours.up_ms, theirs.up_ms),
                at_most=2.0 if name == UVICORN.name else 1.0,
            )
    for name, theirs in starts.items():
        if name != NAME:
            yield Row(
                "start to the first accepted submission",
                *(median(ours.submitted_ms), "ms", name, median(theirs.submitted_ms)),
                paired=_paired(ours.submitted_ms, theirs.submitted_ms),
            )
    yield Row("memory at rest", median(ours.memory_mb), "MB", at_most=_IDLE_AT_MOST_MB)
    for name, theirs in starts.items():
        if name != NAME:
            yield Row("memory at rest", median(ours.memory_mb), "MB", name, median(theirs.memory_mb))


def _paired(ours: list[float], theirs: list[float]) -> float:
    return median(one / other for one, other in zip(ours, theirs, strict=True))
