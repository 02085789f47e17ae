"""The metrics answer as bytes. The one place of the telemetry that knows the wire.

No object is made per point. Instants are rendered once for all series that share them, values by orjson from
their arrays, and both are laid side by side by copying fixed-width windows of bytes: see `_laid_out`.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from emulator.telemetry.noise import Ints
from emulator.telemetry.series import Series

Openings: TypeAlias = NDArray[Any]
"""Of fixed-width bytes: `},{"timestamp":"2026-01-01T00:00:00.000Z","value":` for every instant."""


def metrics_body(
    execution_id: str, hostname: str, start: str, end: str, sampled: dict[str, Series]
) -> bytes | memoryview:
    """The JSON body of the metrics operation; `start` and `end` are the texts of its `timeRange`.

    It can be megabytes, and is handed on as it was built, without copying it into `bytes`.
    """
    head = {"executionId": execution_id, "hostname": hostname, "timeRange": {"start": start, "end": end}}
    between = orjson.dumps(head)[:-1]
    heads: list[bytes] = []
    openings: list[Openings] = []
    values: list[bytes] = []
    rendered: dict[int, Openings] = {}
    for name, series in sampled.items():
        between += b',"%s":[' % name.encode()
        if not len(series):
            between += b"]"
            continue
        heads.append(between)
        instants = id(series.times_ms)
        if instants not in rendered:
            rendered[instants] = _openings(series.times_ms)
        openings.append(rendered[instants])
        values.append(orjson.dumps(series.values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1])
        between = b"}]"
    between += b"}"
    return _laid_out(heads, openings, values, between) if heads else between


def _laid_out(heads: list[bytes], openings: list[Openings], values: list[bytes], tail: bytes) -> memoryview:
    """Each head, then its openings with their values; `values` are separated by commas.

    Values differ in width. So each is copied with what follows it, as one window as wide as the longest number:
    what is too much lies where the next opening goes, and those are written afterwards, the heads last of all.
    """
    source = np.frombuffer(b",%s%s" % (b",".join(values), _PADDING), dtype=np.uint8)
    commas = (source == _COMMA).nonzero()[0]  # the one before each value
    counts = [len(each) for each in openings]
    # A head ends with the two bytes that its first opening has too many: there is no point to close.
    shifts = list(accumulate(len(head) - _CLOSING for head in heads))
    places = np.arange(0, len(commas) * (_WIDTH - 1), _WIDTH - 1)
    places += commas
    places += np.repeat(shifts, counts)
    ends = int(places[-1]) + _WIDTH + len(source) - len(_PADDING) - int(commas[-1]) - 1
    size = ends + len(tail)
    body = np.empty(size + len(_PADDING), dtype=np.uint8)
    _windows(body[_WIDTH:], len(_PADDING))[places] = _windows(source[1:], len(_PADDING))[commas]
    opened, first = _windows(body, _WIDTH), 0
    writable = body.data
    for head, opening, count in zip(heads, openings, counts, strict=True):
        at = places[first : first + count]
        opened[at] = opening
        end = int(at[0]) + _CLOSING
        writable[end - len(head) : end] = head
        first += count
    writable[ends:size] = tail
    return writable[:size].toreadonly()


def _windows(buffer: NDArray[np.uint8], width: int) -> NDArray[Any]:
    """Entry i is the `width` bytes from i on: a view that overlaps itself, to read and write at any places."""
    return np.ndarray((len(buffer) - width + 1,), f"V{width}", buffer, strides=(1,))


_COMMA = ord(",")
_CLOSING = len(b"},")
_PADDING = bytes(24)
"""As wide as the longest double in JSON, -2.2250738585072014e-308; narrower than an opening."""

_POINT = np.dtype(
    [
        ("opening", "V16"),
        ("date", "V10"),
        ("t", "V1"),
        ("clock", "V8"),
        ("dot", "V1"),
        ("millisecond", "V3"),
        ("value", "V11"),
    ]
)
_WIDTH = _POINT.itemsize
_BLANK = b'},{"timestamp":"%sT00:00:00.000Z","value":'
_DAY_S = 86_400
_MILLISECONDS = np.array([b"%03d" % number for number in range(1000)]).view("V3")


def _openings(times_ms: Ints) -> Openings:
    seconds = times_ms // 1000
    first, last = (int(seconds[end]) // _DAY_S for end in (0, -1))
    points = np.frombuffer(bytearray(_BLANK % _date(first)) * len(times_ms), dtype=_POINT)
    of_day = seconds - first * _DAY_S
    if first != last:
        days = of_day // _DAY_S
        of_day -= days * _DAY_S
        points["date"] = np.array([_date(day) for day in range(first, last + 1)]).view("V10")[days]
    points["clock"] = _clocks()[of_day]
    milliseconds = times_ms - seconds * 1000
    if np.count_nonzero(milliseconds):
        points["millisecond"] = _MILLISECONDS[milliseconds]
    return points.view(f"V{_WIDTH}")


@lru_cache(maxsize=64)
def _date(day: int) -> bytes:
    return str(np.datetime64(day, "D")).encode()


@cache
def _clocks() -> NDArray[Any]:
    """Every second of a day as `HH:MM:SS`: 700 kB that spare taking each instant apart."""
    numbers = np.array([b"%02d" % number for number in range(60)]).view("V2")
    fields = [("hour", "V2"), ("colon", "V1"), ("minute", "V2"), ("colon again", "V1"), ("second", "V2")]
    clocks = np.frombuffer(bytearray(b"00:00:00") * _DAY_S, dtype=fields).reshape(24, 60, 60)
    clocks["hour"] = numbers[:24, None, None]
    clocks["minute"] = numbers[:, None]
    clocks["second"] = numbers
    return clocks.ravel().view("V8")
