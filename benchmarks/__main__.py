"""All benchmarks: `python -m benchmarks`, or some of them by their topics.

Every comparison is a ratio within one run; figures of different runs, machines or hours do not compare. Nothing but
loopback is loaded. Peers are installed when they are first needed, into `.benchmarks/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from benchmarks import clock, fixtures, memory, over_http, page, start, streams, telemetry, throughput
from benchmarks.effort import FULL, QUICK, Effort
from benchmarks.errors import Unmeasurable
from benchmarks.progress import tell
from benchmarks.table import HEAD, Line, Skipped, summary

TOPICS: dict[str, tuple[str, Callable[[Effort], Iterator[Line]]]] = {
    "start": ("Start, and memory at rest", start.rows),
    "throughput": ("Throughput and latency", throughput.rows),
    "memory": ("Stored runs", memory.rows),
    "streams": ("Streams", streams.rows),
    "clock": ("The clock", clock.rows),
    "fixtures": ("Fixtures", fixtures.rows),
    "prometheus": ("Metrics beside Prometheus", over_http.rows),
    "telemetry": ("Metrics, in the process", telemetry.rows),
}


def _measured(title: str, rows: Callable[[Effort], Iterator[Line]], effort: Effort) -> Iterator[Line]:
    """The rows of a topic, as far as it gets."""
    try:
        yield from rows(effort)
    except Unmeasurable as problem:
        yield Skipped(f"the rest of: {title}", str(problem))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the emulator beside its peers.")
    parser.add_argument("topics", nargs="*", metavar="topic", help=f"one of {', '.join(TOPICS)}; without any, all")
    parser.add_argument("--quick", action="store_true", help="short slices and small stores: figures are rough")
    parser.add_argument("--write", action="store_true", help=f"put the results of all topics into {page.SHOWN_AS}")
    asked = parser.parse_args()
    if unknown := [topic for topic in asked.topics if topic not in TOPICS]:
        parser.error(f"no such topic: {', '.join(unknown)}; there are {', '.join(TOPICS)}")
    if asked.write and (asked.topics or asked.quick):
        parser.error("only the results of all topics, at full length, are written")
    sections: dict[str, list[Line]] = {}
    for topic in asked.topics or TOPICS:
        title, rows = TOPICS[topic]
        tell(title)
        print(f"\n## {title}\n\n{HEAD}", flush=True)
        sections[title] = []
        for line in _measured(title, rows, QUICK if asked.quick else FULL):
            print(line, flush=True)
            sections[title].append(line)
    print(f"\n{summary(line for lines in sections.values() for line in lines)}")
    if asked.write:
        page.write(sections)
        tell(f"written to {page.SHOWN_AS}")


if __name__ == "__main__":
    main()
