"""Many who follow output at once: how late the last byte reaches them, and what the server spends on it.

Ten followers for each run, ten lines a second, under the real clock. The followers live in this
process and share the machine with the server, so that the delays are upper bounds.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import cycle, islice
from statistics import median, quantiles

from benchmarks.client import HOST, Client
from benchmarks.effort import Effort
from benchmarks.emulated import BASE, emulator, submit
from benchmarks.errors import UnexpectedAnswer
from benchmarks.progress import tell
from benchmarks.server import Server
from benchmarks.table import Line, Row
from emulator.times import parse_instant_ms

_FOLLOWERS_OF_ONE = 10
_LINES = 151  # of a quarter of a minute, with the first and the last moment
_SETTLED_S, _WATCHED_S, _LIMIT_S = 3.0, 8.0, 60.0
_LAST = b"jobFinished"


class _Follower(asyncio.Protocol):
    """Asks for a run's output, counts its events, and notes when the last one came."""

    def __init__(self, execution_id: str, done: asyncio.Future[float]) -> None:
        self.execution_id, self.done, self.events = execution_id, done, 0
        self._end = b""

    def itself(self) -> _Follower:
        """A protocol is asked for by a call; this one is there already."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        head = f"GET /api/v1/stream/{self.execution_id} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
        transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        self.events += data.count(b"data: ")
        self._end = (self._end + data)[-200:]
        if _LAST in self._end and not self.done.done():
            self.done.set_result(time.time())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the stream ended before its run did"))


def rows(effort: Effort) -> Iterator[Line]:
    with emulator("real") as server:
        client = Client(server.port)
        runs = [submit(client, number, "ten-lines-a-second") for number in range(effort.followers // _FOLLOWERS_OF_ONE)]
        before_mb = server.memory_mb
        tell(f"{effort.followers:,} followers of {len(runs)} runs")
        followers, ended_s, cpu, memory_mb = asyncio.run(_follow(server, runs, effort.followers))
        over_s = {run: _end_s(client, run) for run in runs}
    delays = [1000 * (at_s - over_s[each.execution_id]) for each, at_s in zip(followers, ended_s, strict=True)]
    named = f"{effort.followers:,} followers of {len(runs)} runs"
    lines = f"10 lines a second each; all {effort.followers:,} got all {_LINES} lines"
    yield Row(f"{named}: delay of the last byte, p50", median(delays), "ms", note=lines)
    yield Row(f"{named}: p99", quantiles(delays, n=100)[98], "ms", note=f"latest {max(delays):.0f} ms")
    per_event = 1e6 * cpu / (_WATCHED_S * effort.followers * 10)
    yield Row(
        f"{named}: server CPU", 100 * cpu / _WATCHED_S, "% of a core", note=f"{per_event:.0f} µs for each line sent"
    )
    each_kb = 1000 * (memory_mb - before_mb) / effort.followers
    yield Row(f"{named}: memory", memory_mb, "MB", note=f"{each_kb:.1f} KB for each follower")


async def _follow(server: Server, runs: list[str], count: int) -> tuple[list[_Follower], list[float], float, float]:
    """Follow to the end: the followers, when each saw it (s), CPU while all was steady (s), and memory then (MB)."""
    loop = asyncio.get_running_loop()
    followers = [_Follower(run, loop.create_future()) for run in islice(cycle(runs), count)]
    await asyncio.gather(*(loop.create_connection(each.itself, HOST, server.port) for each in followers))
    await asyncio.sleep(_SETTLED_S)
    before_s = server.cpu_s
    await asyncio.sleep(_WATCHED_S)
    cpu_s, memory_mb = server.cpu_s - before_s, server.memory_mb
    ended_s = await asyncio.wait_for(asyncio.gather(*(each.done for each in followers)), _LIMIT_S)
    if any(each.events != _LINES + 1 for each in followers):
        raise UnexpectedAnswer(
            f"not all followers got {_LINES} lines and the end: {[each.events for each in followers]}"
        )
    return followers, list(ended_s), cpu_s, memory_mb


def _end_s(client: Client, run: str) -> float:
    """When the run was over, in seconds since the epoch: under the real clock the wall's."""
    record = json.loads(client.ask(f"{BASE}/execution/{run}"))
    return (parse_instant_ms(record["end_time"]) or 0) / 1000
