"""All benchmarks in one table: `python -m benchmarks`.

Everything is measured beside a peer in the same run, and only the ratio counts. Nothing but loopback is loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks import over_http, telemetry
from benchmarks.timing import Row


def rows() -> Iterator[Row]:
    yield from telemetry.rows()
    if reason := over_http.missing():
        print(f"SKIPPED, the comparison with Prometheus: {reason}", file=sys.stderr)
    else:
        yield from over_http.rows()


def main() -> None:
    print("| measured | ms | beside | ms | ratio | | of which |")
    print("|---|---|---|---|---|---|---|")
    for row in rows():
        figures = f"{row.ours_ms:.3f} | {row.peer} | {row.peer_ms:.3f} | {row.ratio:.2f}"
        print(f"| {row.measured} | {figures} | {row.verdict} | {row.parts} |", flush=True)


if __name__ == "__main__":
    main()
