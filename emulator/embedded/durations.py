"""Durations and instants, as a test writes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from emulator.times import format_duration

__tracebackhide__ = True

Duration: TypeAlias = str | timedelta
"""`"500ms"`, `"5s"`, `"1m30s"`, `"2h"`, or a timedelta."""


def duration_text(duration: Duration) -> str:
    """As the control API reads it, which is where it is checked."""
    if isinstance(duration, timedelta):
        return format_duration(round(duration / timedelta(milliseconds=1)))
    return duration


def instant_text(instant: datetime | str) -> str:
    """Raises ValueError for a datetime without a time zone: nobody could say which instant is meant."""
    if isinstance(instant, datetime):
        if instant.tzinfo is None:
            raise ValueError(f"{instant.isoformat()} has no time zone; write datetime(..., tzinfo=UTC)")
        return instant.isoformat()
    return instant
