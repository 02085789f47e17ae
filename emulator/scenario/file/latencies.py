"""Latencies as faults write them: fixed, from a range, or by median and 99th percentile."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.documents import Node, ScalarNode
from emulator.faults.latency import MAX_MS, Latency, LogNormal, Uniform
from emulator.scenario.file.durations import Duration, DurationOrRange
from emulator.scenario.file.grammar import Findings, Form, Schema
from emulator.scenario.file.records import ByShape, Key, Record, Values
from emulator.times import format_duration

WORDS = "a latency such as `200ms`, a range such as `100ms..400ms`, or `{median: 200ms, p99: 2s}`"


@dataclass(frozen=True)
class Bounded(Form[int]):
    """A duration on the real clock: at most a minute."""

    words: str = "a duration such as `5s`"

    def read(self, node: Node, path: str, findings: Findings) -> int:
        ms = Duration(self.words).read(node, path, findings)
        check_bound(ms, node, path, findings)
        return ms

    def schema(self) -> Schema:
        return Duration().schema()


def check_bound(ms: int, node: Node, path: str, findings: Findings) -> None:
    """Raises Unread for what would keep a client waiting too long."""
    if ms > MAX_MS:
        message = f"`{format_duration(ms)}` is longer than {format_duration(MAX_MS)}, the longest that a fault waits"
        raise findings.refused(node, path, message, beyond_schema=True)


@dataclass(frozen=True)
class _Span(Form[Latency]):
    words: str = WORDS

    def read(self, node: Node, path: str, findings: Findings) -> Latency:
        if isinstance(node, ScalarNode) and re.fullmatch(r"[0-9]{1,5}", node.text):
            raise findings.refused(node, path, f"`{node.text}` has no unit: write `{node.text}ms`")
        span = DurationOrRange(self.words).read(node, path, findings)
        check_bound(span.high_ms, node, path, findings)
        return Uniform(span.low_ms, span.high_ms)

    def schema(self) -> Schema:
        return DurationOrRange().schema()


MEDIAN: Key[int] = Key("median", Bounded(), "Half of the answers come sooner.", "200ms", required=True)
P99: Key[int] = Key("p99", Bounded(), "One of a hundred answers comes later.", "2s", required=True)


def _build(values: Values, findings: Findings) -> Latency:
    median_ms, p99_ms = values[MEDIAN], values[P99]
    if p99_ms < median_ms:
        message = f"`p99` is shorter than `median`: write at least `{format_duration(median_ms)}`"
        raise findings.refused(values.entry(P99).value, f"{values.path}.p99", message, beyond_schema=True)
    return LogNormal(median_ms, p99_ms)


LATENCY: ByShape[Latency] = ByShape(
    WORDS,
    scalar=_Span(),
    mapping=Record(
        WORDS,
        (MEDIAN, P99),
        _build,
        synonyms=dict.fromkeys(("p50", "typical", "mean", "average"), "median")
        | dict.fromkeys(("p95", "p90", "max", "tail", "p999"), "p99"),
        strangers={
            "from": "a range is written `100ms..400ms`",
            "to": "a range is written `100ms..400ms`",
            "min": "a range is written `100ms..400ms`",
        },
    ),
)
