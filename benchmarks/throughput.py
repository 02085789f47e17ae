"""Throughput, latency and server CPU of the commonest requests, beside every peer and with a store grown large.

All take turns in short slices; targets are for 16 connections, one worker, the journal of requests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.effort import Effort
from benchmarks.emulated import NAME, Store, store_of
from benchmarks.errors import NotStarted, Unmeasurable
from benchmarks.load import Contender, Load, Result, in_turn, send_once
from benchmarks.peers import MOTO, PEERS, PRISM, UVICORN, WIREMOCK, Peer, ready, write_all_stubs
from benchmarks.progress import tell
from benchmarks.server import Server, missing_commands, running
from benchmarks.table import Line, Row, Skipped

LARGE = f"{NAME}, large store"
_STORED_FEW = 10
_P99_AT_MOST_MS = 5.0

_AT_LEAST = {
    ("submit", UVICORN): 0.35,
    ("submit", PRISM): 2.5,
    ("record", UVICORN): 0.5,
    ("record", PRISM): 5.0,
    ("record", WIREMOCK): 1.0,
    ("metrics of 240 points", WIREMOCK): 1.0,
}
"""Throughput: ours by the peer's."""

_CPU_AT_MOST = {("submit", WIREMOCK): 1.0}
"""Server CPU for a request: ours by the peer's."""

_LARGE_AT_LEAST = {"record": 0.9, "submit": 0.9, "list of 20": 0.9}
"""Throughput with the large store, by that with the small one."""

_NO_P99 = {"metrics of 240 points"}
"""16 connections wait for each other on one worker, so that latency is 16 times what an answer costs."""

_AS = {PRISM: "Prism, logging off", WIREMOCK: "WireMock, journal off", MOTO: "moto, a training job"}


def rows(effort: Effort) -> Iterator[Line]:
    if reason := missing_commands("wrk"):
        yield Skipped("throughput and latency", f"{reason} (apt-get install wrk)")
        return
    with ExitStack() as stack:
        small = stack.enter_context(store_of(_STORED_FEW))
        tell(f"storing {effort.stored:,} runs")
        large = stack.enter_context(store_of(effort.stored))
        stubs = Path(stack.enter_context(TemporaryDirectory()))
        write_all_stubs(stubs)
        servers: dict[Peer, Server] = {}
        for peer, problem in ready(PEERS):
            try:
                if problem is not None:
                    raise NotStarted(problem)
                server = stack.enter_context(running(peer.launch(stubs)))
                send_once(server, peer.adapts(small.requests)["submit"])  # a record has to be there to be read
                servers[peer] = server
            except Unmeasurable as error:
                yield Skipped(f"throughput beside {peer.title}", str(error))
        for operation in small.requests:
            # One after the other, since submitting is the last: it changes what the rest would see.
            for measured in (_beside_all, _with_64):
                yield from _or_skipped(operation, measured(operation, small, large, servers, effort))


def _or_skipped(operation: str, rows: Iterator[Row]) -> Iterator[Line]:
    """One operation that cannot be measured does not end the others."""
    try:
        yield from rows
    except Unmeasurable as problem:
        yield Skipped(operation, str(problem))


def _beside_all(
    operation: str, small: Store, large: Store, servers: Mapping[Peer, Server], effort: Effort
) -> Iterator[Row]:
    contenders = _ours(operation, small, large)
    for peer, server in servers.items():
        asked = peer.adapts(small.requests)
        if operation in asked:
            contenders.append(Contender(peer.name, server, asked[operation], warm_up_s=peer.warm_up_s))
    tell(f"{operation}, 16 connections")
    results = in_turn(contenders, effort, connections=16)
    ours, grown = results[NAME], results[LARGE]
    for peer in servers:
        if peer.name in results:
            yield from _beside(operation, ours, results[peer.name], peer)
    stored = f"{effort.stored:,} runs stored"
    yield Row(
        f"{operation}, {stored}",
        *(grown.requests_per_s, "req/s", f"{_STORED_FEW} stored", ours.requests_per_s),
        paired=grown.ratio(ours, _throughput),
        at_least=_LARGE_AT_LEAST.get(operation),
        note=f"{_costs(grown)}; with {_STORED_FEW} {_costs(ours)}",
    )
    limit = None if operation in _NO_P99 else _P99_AT_MOST_MS
    yield Row(f"{operation}, {stored}: p99", grown.p99_ms, "ms", at_most=limit, note=f"p50 {grown.p50_ms:.1f} ms")


def _beside(operation: str, ours: Result, theirs: Result, peer: Peer) -> Iterator[Row]:
    told = _AS.get(peer, peer.name)
    yield Row(
        operation,
        *(ours.requests_per_s, "req/s", told, theirs.requests_per_s),
        paired=ours.ratio(theirs, _throughput),
        at_least=_AT_LEAST.get((operation, peer)),
        note=f"{_costs(ours)}; theirs {_costs(theirs)}",
    )
    if limit := _CPU_AT_MOST.get((operation, peer)):
        yield Row(
            f"{operation}: server CPU for each",
            *(ours.cpu_us, "µs", told, theirs.cpu_us),
            paired=ours.ratio(theirs, _cpu),
            at_most=limit,
        )


def _with_64(
    operation: str, small: Store, large: Store, servers: Mapping[Peer, Server], effort: Effort
) -> Iterator[Row]:
    contenders = _ours(operation, small, large)
    if UVICORN in servers:
        request = UVICORN.adapts(small.requests)[operation]
        contenders.append(Contender(UVICORN.name, servers[UVICORN], request))
    tell(f"{operation}, 64 connections")
    # They are warm by now; and nothing is promised for so many.
    results = in_turn(contenders, Effort(rounds=1, seconds=effort.seconds), connections=64, warm_up=False)
    ours, grown, theirs = results[NAME], results[LARGE], results.get(UVICORN.name)
    yield Row(
        f"{operation}, 64 connections",
        *(ours.requests_per_s, "req/s"),
        peer="" if theirs is None else theirs.name,
        theirs=None if theirs is None else theirs.requests_per_s,
        note=_costs(ours),
    )
    yield Row(
        f"{operation}, 64 connections, {effort.stored:,} runs stored",
        *(grown.requests_per_s, "req/s", f"{_STORED_FEW} stored", ours.requests_per_s),
        note=_costs(grown),
    )


def _ours(operation: str, small: Store, large: Store) -> list[Contender]:
    # Each submission stays: without this the small store would not be small for long.
    prepare = small.empty if operation == "submit" else lambda: None
    return [
        Contender(NAME, small.server, small.requests[operation], prepare),
        Contender(LARGE, large.server, large.requests[operation]),
    ]


def _throughput(load: Load) -> float:
    return load.requests_per_s


def _cpu(load: Load) -> float:
    return load.cpu_us


def _costs(result: Result) -> str:
    """CPU of the server for a request, and the latency seen: p50/p99."""
    return f"{result.cpu_us:.0f} µs, {result.p50_ms:.1f}/{result.p99_ms:.1f} ms"
