"""What stored runs cost: memory for each, and CPU while nobody asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import repeat
from statistics import mean

from benchmarks.client import Client
from benchmarks.effort import Effort
from benchmarks.emulated import START, advance, emulator, fill, submission
from benchmarks.progress import tell
from benchmarks.server import Server
from benchmarks.table import Line, Row

_FEW = 1_000
_JOURNALED = 20_000
_RUN_AT_MOST_BYTES = 2_000.0
_IDLE_AT_MOST_PERCENT = 0.1
_SETTLED_S = 1.0
_ALONE_S = 8.0
"""Longer than the server keeps a connection that asks for nothing: idle is when nobody is there."""
_WATCHED_S = 10


def rows(effort: Effort) -> Iterator[Line]:
    with emulator() as server:
        client = Client(server.port)
        yield Row("resident, nothing stored", _memory_mb(server), "MB")
        yield _idle(server, "nothing stored")
        # The journal is full before anything is weighed: it is bounded, and no part of a run.
        refused = submission().replace(b'"timeout": 60', b'"timeout": -60')
        client.post_all(START, repeat(refused, _JOURNALED), status=422)
        yield Row("resident, the journal full", _memory_mb(server), "MB", note=f"{_JOURNALED:,} refused submissions")
        fill(client, _FEW)
        few_mb = _memory_mb(server)
        yield Row(f"resident, {_FEW:,} runs", few_mb, "MB")
        tell(f"storing {effort.stored:,} runs")
        fill(client, effort.stored - _FEW, first=_FEW)
        many_mb = _memory_mb(server)
        yield Row(f"resident, {effort.stored:,} runs", many_mb, "MB")
        more = range(_FEW, effort.stored)
        each = 1e6 * (many_mb - few_mb) / len(more)
        sent = mean(len(submission(number)) for number in more)
        yield Row(
            "a stored run beyond its own submission",
            *(each - sent, "bytes"),
            at_most=_RUN_AT_MOST_BYTES,
            note=f"{each:,.0f} bytes in all, {sent:,.0f} were submitted",
        )
        yield _idle(server, f"{effort.stored:,} runs that are active")
        advance(client, "1h")
        yield _idle(server, f"{effort.stored:,} runs that are over")


def _memory_mb(server: Server) -> float:
    time.sleep(_SETTLED_S)
    return server.memory_mb


def _idle(server: Server, stored: str) -> Row:
    time.sleep(_ALONE_S)
    before_s = server.cpu_s
    time.sleep(_WATCHED_S)
    percent = 100 * (server.cpu_s - before_s) / _WATCHED_S
    note = f"over {_WATCHED_S} s, nobody connected"
    return Row(f"idle CPU, {stored}", percent, "% of a core", at_most=_IDLE_AT_MOST_PERCENT, note=note)
