"""What a test's fixture waits for: a tenant of its own, a reset, a snapshot and its restoring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from statistics import median

from benchmarks.client import Client
from benchmarks.clock import median_ms
from benchmarks.effort import Effort
from benchmarks.emulated import START, emulator, fill, submission
from benchmarks.errors import UnexpectedAnswer
from benchmarks.table import Line, Row, Skipped

_RUNS = 1_000
_SNAPSHOT, _RESET = "/_emulator/snapshot", "/_emulator/reset"


def rows(effort: Effort) -> Iterator[Line]:
    with emulator() as server:
        known, body = Client(server.port), submission()
        numbers = count()

        def by_a_new_tenant() -> None:
            key = {"Authorization": f"Bearer lk_fixture_{next(numbers):06}"}
            known.ask(START, body, headers=key)

        known.ask(START, body)
        times = 10 * effort.repeats
        taken = [(median_ms(by_a_new_tenant, 1), median_ms(lambda: known.ask(START, body), 1)) for _ in range(times)]
        new, old = (median(column) for column in zip(*taken, strict=True))
        yield Row("a new tenant and its first run", new, "ms", "a run of a known tenant", old)
        yield Row(f"reset of a tenant with {_RUNS:,} runs", _reset_ms(known, effort), "ms")
        yield from _snapshots(known, effort)


def _reset_ms(client: Client, effort: Effort) -> float:
    def filled() -> float:
        fill(client, _RUNS)
        return median_ms(lambda: client.ask(_RESET, b""), 1)

    return median(filled() for _ in range(effort.repeats))


def _snapshots(client: Client, effort: Effort) -> Iterator[Line]:
    filled_ms = median_ms(lambda: fill(client, _RUNS), 1)
    try:
        snapshot = client.ask(_SNAPSHOT)
    except UnexpectedAnswer as answer:
        yield Skipped(f"snapshot and restore with {_RUNS:,} runs", str(answer)[:100])
        return
    # Against submitting the runs one by one: what spares a test that has to be worth it.
    taken: list[tuple[str, Callable[[], object], float]] = [
        ("snapshot", lambda: client.ask(_SNAPSHOT), 0.1),
        ("restore", lambda: client.ask(_SNAPSHOT, snapshot, method="PUT"), 0.5),
    ]
    for verb, ask, at_most in taken:
        took_ms, note = median_ms(ask, effort.repeats), f"{len(snapshot) / 1e6:.2f} MB"
        yield Row(
            f"{verb} with {_RUNS:,} runs", took_ms, "ms", "submitting them", filled_ms, at_most=at_most, note=note
        )
