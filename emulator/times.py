"""Instants and durations as text: RFC 3339 on the wire, `1m30s` in scenarios and in the control API.

Inside the emulator both are integers, in milliseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

LATEST_MS = 4_102_444_800_000
"""2100-01-01T00:00:00Z: no clock goes past it."""

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile(
    r"(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,6})s)?(?:(\d{1,9})ms)?", re.ASCII
)
_INSTANT = re.compile(
    r"(?P<year>\d{4})(?P<upto_second>-\d{2}-\d{2}[Tt ](?:[01]\d|2[0-3]):\d{2}:)(?P<second>\d{2})"
    r"(?:\.(?P<ms>\d{1,3})\d*)?(?P<zone>[Zz]|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_LEAP_YEAR, _YEARS_TO_LEAP_YEAR_MS = "0004", 1461 * 86_400_000
_WRITABLE_MS = (-62_135_596_800_000, 253_402_300_799_999)  # the years 1 to 9999

DURATION_PATTERN = r"^(?=[0-9])(?:[0-9]{1,6}d)?(?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,6}s)?(?:[0-9]{1,9}ms)?$"
"""The same grammar for JSON Schema."""


def parse_duration_ms(text: str) -> int | None:
    """Milliseconds of `500ms`, `4s`, `1m30s`, `2h` (units from large to small), or None if it is not one."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    return sum(int(count) * ms for count, ms in zip(match.groups(), _UNITS_MS.values(), strict=True) if count)


def format_duration(ms: int) -> str:
    """The shortest text that `parse_duration_ms` reads back as `ms`: `1m30s`, `0s`."""
    parts = []
    for unit, size in _UNITS_MS.items():
        count, ms = divmod(ms, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_instant_ms(text: str) -> int | None:
    """Milliseconds since the epoch of an RFC 3339 text, or None if it is not one.

    A text without a zone is taken as UTC, since the service's own timestamps sometimes lack it.
    Digits beyond the millisecond are dropped, and instants outside the years 1 to 9999 moved to their edge.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    year, second, added_ms = match["year"], match["second"], int((match["ms"] or "").ljust(3, "0"))
    if second == "60":  # RFC 3339 knows leap seconds and the year 0, Python does not
        second, added_ms = "59", added_ms + 1000
    if year == "0000":
        year, added_ms = _LEAP_YEAR, added_ms - _YEARS_TO_LEAP_YEAR_MS
    try:
        instant = datetime.fromisoformat(f"{year}{match['upto_second']}{second}{match['zone'] or 'Z'}".upper())
    except ValueError:  # a 13th month, a 61st minute
        return None
    ms = int((instant - _EPOCH).total_seconds()) * 1000 + added_ms
    return max(_WRITABLE_MS[0], min(ms, _WRITABLE_MS[1]))


@lru_cache(maxsize=4096)  # a client that polls is told the same instants again and again
def format_instant(ms: int) -> str:
    """`2026-01-01T00:00:00.000Z`: always with milliseconds and zone, so that texts sort as instants do."""
    minute, rest_ms = divmod(ms, 60_000)
    return f"{_minute_text(minute)}{rest_ms // 1000:02d}.{rest_ms % 1000:03d}Z"


@lru_cache(maxsize=4096)  # the calendar is most of the work, and the runs of one minute share it
def _minute_text(minute: int) -> str:
    """`2026-01-01T00:00:` of the minutes since the epoch."""
    return datetime.fromtimestamp(minute * 60, UTC).isoformat()[:17]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
