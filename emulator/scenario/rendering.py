"""What a script writes: its output entries as lines with their times, every field filled in."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from emulator.noise import between, uniform
from emulator.scenario.model import MAX_OUTPUT_LINES, FieldSpec, NumberRange, OutputEntry, OutputStream, Ramp, Template
from emulator.scenario.script import DRAW_FIELD, Script

MAX_KEPT_LINES = 200_000
"""So many lines at most are kept rendered: some tens of megabytes."""


class Line(NamedTuple):
    """A piece of output and when it is written, counted from the start of running."""

    at_ms: int
    stream: OutputStream
    text: str


class _Rendered:
    """The lines of the scripts that were asked for last.

    Rendering ten thousand lines takes tens of milliseconds, and a client that follows a run asks again and again.
    Runs of one scenario share their lines unless these draw from the seed.
    """

    def __init__(self) -> None:
        # By the identity of the entries, which are kept beside the lines so that no other ones take it over.
        self._kept: OrderedDict[tuple[int, int, int | None], tuple[object, tuple[Line, ...]]] = OrderedDict()
        self._lines = 0

    def of(self, script: Script) -> tuple[Line, ...]:
        entries = script.scenario.output
        draws = any(isinstance(spec, NumberRange) for entry in entries for spec in entry.fields.values())
        key = (id(entries), script.seed if draws else 0, script.running_ms)
        if key not in self._kept:
            by_entry = (_entry_lines(script, index, entry) for index, entry in enumerate(entries))
            lines = tuple(heapq.merge(*by_entry, key=attrgetter("at_ms")))
            self._kept[key] = entries, lines
            self._lines += len(lines)
            while self._lines > MAX_KEPT_LINES and len(self._kept) > 1:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._lines -= len(forgotten)
        self._kept.move_to_end(key)
        return self._kept[key][1]


_rendered = _Rendered()


def output_lines(script: Script) -> tuple[Line, ...]:
    """Everything the script writes, in order of time; of one instant, in the order of the file."""
    return _rendered.of(script)


def _entry_lines(script: Script, index: int, entry: OutputEntry) -> Iterator[Line]:
    for n, at_ms in islice(enumerate(_entry_times(script, entry)), MAX_OUTPUT_LINES):
        yield Line(at_ms, entry.stream, _render(entry.text, entry, script, index, n, at_ms))


def _entry_times(script: Script, entry: OutputEntry) -> Iterator[int]:
    if entry.every_ms is None:
        yield entry.from_ms
        return
    until_ms = script.running_ms if entry.until_ms is None else entry.until_ms
    at_ms = entry.from_ms
    while until_ms is None or at_ms <= until_ms:
        yield at_ms
        at_ms += entry.every_ms


def _render(text: Template, entry: OutputEntry, script: Script, index: int, n: int, at_ms: int) -> str:
    pieces = []
    for piece in text:
        if isinstance(piece, str):
            pieces.append(piece)
        elif piece.name == "n":
            pieces.append(_format(n + 1, piece.spec))
        else:
            position = list(entry.fields).index(piece.name)
            key = (DRAW_FIELD, index, position, n)
            value = _field_value(entry.fields[piece.name], entry, script, key, at_ms)
            pieces.append(_format(value, piece.spec))
    return "".join(pieces)


def _field_value(spec: FieldSpec, entry: OutputEntry, script: Script, key: tuple[int, ...], at_ms: int) -> float | str:
    match spec:
        case Ramp(start, end):
            until_ms = entry.until_ms if entry.until_ms is not None else script.running_ms
            if until_ms is None or until_ms <= entry.from_ms:  # no span to run over: stay where it begins
                return start
            return start + (end - start) * (at_ms - entry.from_ms) / (until_ms - entry.from_ms)
        case NumberRange(int() as low, int() as high):
            return between(low, high, script.seed, *key)
        case NumberRange(low, high):
            return low + (high - low) * uniform(script.seed, *key)
        case constant:
            return constant


def _format(value: float | str, spec: str) -> str:
    if not spec or isinstance(value, str):
        return str(value)
    return format(round(value) if spec.endswith("d") else value, spec)
