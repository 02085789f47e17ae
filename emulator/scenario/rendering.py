"""What a script writes: its output entries as lines with their times, every field filled in."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from itertools import accumulate
from threading import Lock
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from emulator.noise import between, uniform
from emulator.scenario.output import FieldSpec, OutputEntry, OutputStream
from emulator.scenario.ranges import NumberRange, Ramp
from emulator.scenario.script import DRAW_FIELD, Script
from emulator.scenario.timetable import Timetable

MAX_KEPT_LINES = 2_000
"""The longest output that is kept as one text, of which each state is a slice."""

MAX_WEIGHT = 100_000
"""So many lines at most are kept: with their texts, some 40 megabytes. As many again are kept as times alone."""

_OWN_WEIGHT = 20
"""An output takes the memory of so many lines more than were rendered of it."""

_LINE_CHARACTERS = 200
"""A text takes the memory of one more line for each so many characters."""

_CHUNK_LINES = 256


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
    """What one script writes. Times are known at once, each text is rendered when it is first asked for, and kept:
    a client that polls a run asks for all of them again and again.
    """

    def __init__(self, script: Script, times: Timetable) -> None:
        self.times = times
        self.weight = _OWN_WEIGHT
        self._script = script
        self._texts: dict[int, str] = {}
        self._prefixes: tuple[_Prefixes, _Prefixes, _Prefixes] | None = None

    def __len__(self) -> int:
        return len(self.times)

    def text(self, number: int) -> str:
        """The line of this number, in order of time; of one instant, in the order of the file."""
        text = self._texts.get(number)
        if text is None:
            text = self.times.constant(number)
        if text is None:
            at_ms, index, n = self.times.positions[number]
            text = self._texts[number] = _render(self._script, index, n, at_ms)
            self._grow(1, text)
        return text

    def lines(self, start: int, stop: int) -> list[Line]:
        """Those from number `start` up to `stop`."""
        entries = self.times.entries
        return [
            Line(at_ms, entries[index].stream, self.text(number))
            for number, (at_ms, index, _) in enumerate(self.times.positions[start:stop], start)
        ]

    def texts(self, count: int, characters: int) -> Texts:
        """What the first `count` lines are together: all of each text, or its last `characters` at least."""
        if len(self) > MAX_KEPT_LINES:
            return self._tails(count, characters)
        if self._prefixes is None:
            self._prefixes = self._whole()
        stdout, stderr, combined = self._prefixes
        return Texts(stdout.first(count), stderr.first(count), combined.first(count))

    def _tails(self, count: int, characters: int) -> Texts:
        of_stdout, of_stderr = (self.times.of_stream(stream, count) for stream in OutputStream)
        stdout, stderr = self._tail(of_stdout, characters), self._tail(of_stderr, characters)
        if not of_stdout or not of_stderr:
            return Texts(stdout, stderr, stdout or stderr)
        return Texts(stdout, stderr, self._tail(range(count), characters))

    def _tail(self, numbers: Sequence[int], characters: int) -> str:
        """The last of the lines with these numbers that are `characters` together, or all."""
        chunks: list[str] = []
        stop = len(numbers)
        while stop and characters > 0:
            start = max(0, stop - _CHUNK_LINES)
            chunks.append("".join(map(self.text, numbers[start:stop])))
            characters -= len(chunks[-1])
            stop = start
        return "".join(reversed(chunks))

    def _whole(self) -> tuple[_Prefixes, _Prefixes, _Prefixes]:
        """For stdout, stderr and both; in each there is a text for every line, if an empty one."""
        lines = self.lines(0, len(self))
        texts = [line.text for line in lines]
        both = _Prefixes(texts)
        self._grow(len(lines), *texts)
        stdout, stderr = ([line.text if line.stream is stream else "" for line in lines] for stream in OutputStream)
        return both if stdout == texts else _Prefixes(stdout), _Prefixes(stderr), both

    def _grow(self, lines: int, *texts: str) -> None:
        self.weight += lines + sum(map(len, texts)) // _LINE_CHARACTERS


class _Weighty(Protocol):
    @property
    def weight(self) -> int: ...


_Value = TypeVar("_Value", bound=_Weighty)


class _Kept(Generic[_Value]):
    """What was asked for last: so much of it as weighs MAX_WEIGHT, one at least.

    Emulators in one process share it, each from its own thread.
    """

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, _Value] = OrderedDict()
        self._weights: dict[Hashable, int] = {}
        self._sum = 0
        self._last: Hashable = None
        self._lock = Lock()

    def find(self, key: Hashable) -> _Value | None:
        with self._lock:
            if key != self._last:
                self._weigh()
                if key in self._values:
                    self._values.move_to_end(key)
                    self._last = key
            return self._values.get(key)

    def keep(self, key: Hashable, value: _Value) -> None:
        with self._lock:
            self._weigh()
            self._values[key] = value
            self._values.move_to_end(key)
            self._last = key
            self._weigh()

    def _weigh(self) -> None:
        """Take into account what the one that was asked for last has grown by since."""
        if not self._values:
            return
        weight = self._values[self._last].weight
        self._sum += weight - self._weights.get(self._last, 0)
        self._weights[self._last] = weight
        while self._sum > MAX_WEIGHT and len(self._values) > 1:
            oldest, _ = self._values.popitem(last=False)
            self._sum -= self._weights.pop(oldest)


_outputs: _Kept[Output] = _Kept()
_timetables: _Kept[Timetable] = _Kept()


def output_of(script: Script) -> Output:
    """Everything the script writes. Runs share one unless its texts draw from their seed."""
    scenario = script.scenario
    # By the identity of the entries, which the output keeps, so that no other ones take it over.
    key = (id(scenario.output), script.seed if scenario.draws_output else 0, script.running_ms)
    output = _outputs.find(key)
    if output is None:
        output = Output(script, timetable_of(script))
        _outputs.keep(key, output)
    return output


def timetable_of(script: Script) -> Timetable:
    """When the script writes. Runs share one unless it depends on how long they take."""
    entries = script.scenario.output
    endless = any(entry.every_ms is not None and entry.until_ms is None for entry in entries)
    running_ms = script.running_ms if endless else None
    key = (id(entries), running_ms)
    timetable = _timetables.find(key)
    if timetable is None:
        timetable = Timetable(entries, running_ms)
        _timetables.keep(key, timetable)
    return timetable


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
