"""Which instants a query asks for, as Prometheus range queries have it."""

from __future__ import annotations

import re

from msgspec import Struct

from emulator.errors import BadQuery

MAX_STEPS = 11_000
"""More steps than this are refused. Source: Prometheus, which lets 11,001 points pass."""

_LONGEST_MS = 2**63 // 1_000_000
"""What fits a Go duration; Prometheus refuses the rest as out of range."""

_SECONDS = re.compile(r"\+?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DURATION = re.compile(
    r"(?=\d)(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?",
    re.ASCII,
)
_UNITS_MS = (365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000, 1)


def parse_step_ms(text: str) -> int | None:
    """Milliseconds of a step: plain seconds (`5`, `0.5`, `1e1`) or a duration (`500ms`, `1h30m`).

    None where Prometheus refuses it too: zero, negative, unreadable (`1.5m`, `30s1m`, `5 s`), too long. A
    step below half a millisecond is refused as zero, since instants here are whole milliseconds.
    """
    if len(text) > 40:
        return None
    if _SECONDS.fullmatch(text):
        ms = float(text) * 1000
        step_ms = round(ms) if ms <= _LONGEST_MS else 0
    elif match := _DURATION.fullmatch(text):
        step_ms = sum(int(n) * unit for n, unit in zip(match.groups(), _UNITS_MS, strict=True) if n)
    else:
        return None
    return step_ms if 0 < step_ms <= _LONGEST_MS else None


class Window(Struct, frozen=True):
    """The instants start, start + step, ... up to and including end; never too many."""

    start_ms: int
    end_ms: int
    step_ms: int

    def __post_init__(self) -> None:
        """Raises BadQuery where Prometheus answers 400: the end before the start, too many points."""
        if self.end_ms < self.start_ms:
            raise BadQuery("end timestamp must not be before start time")
        if (self.end_ms - self.start_ms) // self.step_ms > MAX_STEPS:
            raise BadQuery(
                f"exceeded maximum resolution of {MAX_STEPS:,} points per timeseries;"
                f" ask for a shorter window, or for a step of {_text(self._shortest_step_ms)} at least"
            )

    @property
    def _shortest_step_ms(self) -> int:
        """The shortest step by which the window is not too long, in whole seconds where it is longer than one."""
        exact_ms = (self.end_ms - self.start_ms) // (MAX_STEPS + 1) + 1
        return exact_ms if exact_ms < 1000 else -(-exact_ms // 1000) * 1000

    def clipped(self, first_ms: int, last_ms: int) -> range:
        """Those of its instants that lie from `first_ms` to `last_ms`, both included."""
        skipped = max(0, -((self.start_ms - first_ms) // self.step_ms))
        return range(self.start_ms + skipped * self.step_ms, min(self.end_ms, last_ms) + 1, self.step_ms)


def _text(step_ms: int) -> str:
    return f"{step_ms}ms" if step_ms % 1000 else f"{step_ms // 1000}s"
