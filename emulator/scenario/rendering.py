"""What a script writes: its output entries as lines with their times, every field filled in."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice

from msgspec import Struct

from emulator.noise import between, uniform
from emulator.scenario.model import MAX_OUTPUT_LINES, FieldSpec, NumberRange, OutputEntry, OutputStream, Ramp
from emulator.scenario.script import DRAW_FIELD, Script

MAX_KEPT_LINES = 2_000
"""The longest output that is kept rendered."""

MAX_POSITIONS = 100_000
"""So many lines at most are kept: with their texts, some 40 megabytes."""

_OWN_LINES = 20
"""An output takes the memory of so many lines more than it has."""


class Line(Struct, frozen=True, gc=False):
    """A piece of output and when it is written, counted from the start of running."""

    at_ms: int
    stream: OutputStream
    text: str


class Texts(Struct, frozen=True, gc=False):
    """What went to each stream, and to both together."""

    stdout: str
    stderr: str
    combined: str


class _Prefixes:
    """The text that lines are together, and where in it each of them ends: what is written so far is a slice of it."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._text = "".join(lines)
        self._ends = array("L", (0, *accumulate(map(len, lines))))

    def first(self, count: int) -> str:
        return self._text[: self._ends[count]]


class Output:
    """What one script writes. Times are known at once, texts are rendered when they are asked for.

    Short outputs keep their texts: a client that polls a run asks for all of them again and again.
    """

    def __init__(self, script: Script) -> None:
        entries = script.scenario.output
        self._script = script
        times = (_entry_positions(script, index, entry) for index, entry in enumerate(entries))
        merged = islice(heapq.merge(*times), MAX_OUTPUT_LINES)
        self._positions = tuple(merged)
        self._lines: tuple[Line, ...] | None = None
        self._prefixes: tuple[_Prefixes, _Prefixes, _Prefixes] | None = None

    def __len__(self) -> int:
        return len(self._positions)

    def count_until(self, at_ms: int) -> int:
        """How many lines are written up to `at_ms`, that instant included."""
        return bisect_left(self._positions, (at_ms + 1, 0, 0))  # the first position of the next instant

    def time_of(self, number: int) -> int:
        return self._positions[number][0]

    def lines(self, start: int, stop: int) -> Sequence[Line]:
        """Those from number `start` up to `stop`, in order of time; of one instant, in the order of the file."""
        if len(self) > MAX_KEPT_LINES:
            return self._rendered(start, stop)
        if self._lines is None:
            self._lines = tuple(self._rendered(0, len(self)))
        return self._lines[start:stop]

    def texts(self, count: int) -> Texts:
        """What the first `count` lines are together."""
        if len(self) > MAX_KEPT_LINES:
            return Texts(*map("".join, _by_stream(self._rendered(0, count))))
        if self._prefixes is None:
            self._prefixes = _prefixes(self.lines(0, len(self)))
        stdout, stderr, combined = self._prefixes
        return Texts(stdout.first(count), stderr.first(count), combined.first(count))

    def _rendered(self, start: int, stop: int) -> list[Line]:
        entries = self._script.scenario.output
        return [
            Line(at_ms, entries[index].stream, _render(self._script, index, n, at_ms))
            for at_ms, index, n in self._positions[start:stop]
        ]


def _by_stream(lines: Sequence[Line]) -> tuple[list[str], list[str], list[str]]:
    """The texts of `lines` for stdout, stderr and both; in each there is one for every line, if an empty one."""
    return (
        [line.text if line.stream is OutputStream.STDOUT else "" for line in lines],
        [line.text if line.stream is OutputStream.STDERR else "" for line in lines],
        [line.text for line in lines],
    )


def _prefixes(lines: Sequence[Line]) -> tuple[_Prefixes, _Prefixes, _Prefixes]:
    """For stdout, stderr and both."""
    stdout, stderr, combined = _by_stream(lines)
    both = _Prefixes(combined)
    return both if stdout == combined else _Prefixes(stdout), _Prefixes(stderr), both


class _Outputs:
    """The outputs of the scripts that were asked for last. Runs share one unless its texts draw from their seed."""

    def __init__(self) -> None:
        # By the identity of the entries, which the output keeps, so that no other ones take it over.
        self._kept: OrderedDict[tuple[int, int, int | None], Output] = OrderedDict()
        self._lines = 0

    def of(self, script: Script) -> Output:
        scenario = script.scenario
        key = (id(scenario.output), script.seed if scenario.draws_output else 0, script.running_ms)
        output = self._kept.get(key)
        if output is None:
            output = self._kept[key] = Output(script)
            self._lines += len(output) + _OWN_LINES
            while self._lines > MAX_POSITIONS and len(self._kept) > 1:
                self._lines -= len(self._kept.popitem(last=False)[1]) + _OWN_LINES
        self._kept.move_to_end(key)
        return output


_outputs = _Outputs()


def output_of(script: Script) -> Output:
    """Everything the script writes."""
    return _outputs.of(script)


def _entry_positions(script: Script, index: int, entry: OutputEntry) -> Iterator[tuple[int, int, int]]:
    """(time, number of the entry, how often it came before), which also is the order of lines."""
    return ((at_ms, index, n) for n, at_ms in enumerate(_entry_times(script, entry)))


def _entry_times(script: Script, entry: OutputEntry) -> Iterator[int]:
    if entry.every_ms is None:
        yield entry.from_ms
        return
    until_ms = script.running_ms if entry.until_ms is None else entry.until_ms
    at_ms = entry.from_ms
    while until_ms is None or at_ms <= until_ms:
        yield at_ms
        at_ms += entry.every_ms


def _render(script: Script, index: int, n: int, at_ms: int) -> str:
    entry = script.scenario.output[index]
    pieces = []
    for piece in entry.text:
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
