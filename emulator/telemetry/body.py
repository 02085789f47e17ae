"""The metrics answer as bytes. The one place of the telemetry that knows the wire."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from emulator.telemetry.noise import Ints
from emulator.telemetry.series import Series

Openings: TypeAlias = NDArray[Any]
"""Of fixed-width bytes: `},{"timestamp":"2026-01-01T00:00:00.000Z","value":` for every instant."""


def metrics_body(execution_id: str, hostname: str, start: str, end: str, sampled: dict[str, Series]) -> bytes:
    """The JSON body of the metrics operation; `start` and `end` are the texts of its `timeRange`.

    Points are interleaved from bytes: instants are rendered once for all series, values by orjson from the
    array, without an object per point.
    """
    head = {"executionId": execution_id, "hostname": hostname, "timeRange": {"start": start, "end": end}}
    pieces: list[bytes | memoryview] = [orjson.dumps(head)[:-1]]
    rendered: dict[int, tuple[Openings, list[bytes]]] = {}
    for name, series in sampled.items():
        pieces.append(b',"%s":[' % name.encode())
        if len(series):
            instants = id(series.times_ms)
            if instants not in rendered:
                openings = _openings(series.times_ms)
                rendered[instants] = openings, openings.tolist()
            pieces += (_points(*rendered[instants], series), b"}")
        pieces.append(b"]")
    pieces.append(b"}")
    return b"".join(pieces)


def _points(openings: Openings, texts: list[bytes], series: Series) -> memoryview:
    """The points but for the last closing bracket; each opening closes the point before it."""
    values = orjson.dumps(series.values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] + b","
    width = values.index(b",")
    if len(values) == (width + 1) * len(series) and values[width :: width + 1].count(b",") == len(series):
        # All values are as wide as the first: two columns of bytes side by side.
        points = np.empty(len(series), dtype=[("opening", openings.dtype), ("value", f"S{width}")])
        points["opening"] = openings
        points["value"] = np.frombuffer(values, dtype=[("value", f"S{width}"), ("comma", "S1")])["value"]
        return memoryview(points.tobytes())[len(_CLOSING) :]
    pieces = [b""] * (2 * len(series))
    pieces[0::2] = texts
    pieces[1::2] = values[:-1].split(b",")
    return memoryview(b"".join(pieces))[len(_CLOSING) :]


_CLOSING = b"},"
_MINUTES_PER_DAY = 1440
_POINT = np.dtype(
    [
        ("opening", "S16"),
        ("date", "S10"),
        ("t", "S1"),
        ("minute", "S5"),
        ("colon", "S1"),
        ("second", "S2"),
        ("dot", "S1"),
        ("millisecond", "S3"),
        ("value", "S11"),
    ]
)
_BLANK = np.array((b'},{"timestamp":"', b"", b"T", b"", b":", b"", b".", b"000", b'Z","value":'), dtype=_POINT)
_MINUTES = np.array([b"%02d:%02d" % divmod(minute, 60) for minute in range(_MINUTES_PER_DAY)])
_SECONDS = np.array([b"%02d" % number for number in range(60)])
_MILLISECONDS = np.array([b"%03d" % number for number in range(1000)])


def _openings(times_ms: Ints) -> Openings:
    points = np.full(len(times_ms), _BLANK, dtype=_POINT)
    seconds = times_ms // 1000
    minutes = seconds // 60
    days = minutes // _MINUTES_PER_DAY
    first, last = int(days[0]), int(days[-1])
    dates = np.datetime_as_string(np.arange(first, last + 1).astype("datetime64[D]")).astype("S10")
    points["date"] = dates[0] if first == last else dates[days - first]
    points["minute"] = _MINUTES[minutes - days * _MINUTES_PER_DAY]
    points["second"] = _SECONDS[seconds - minutes * 60]
    milliseconds = times_ms - seconds * 1000
    if milliseconds.any():
        points["millisecond"] = _MILLISECONDS[milliseconds]
    return points.view(f"S{_POINT.itemsize}")
