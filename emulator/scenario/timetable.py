"""When a script writes: the lines of its output in order, and what is known of them before they are rendered."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate, islice

from emulator.scenario.output import MAX_OUTPUT_LINES, OutputEntry, OutputStream, Placeholder


class Timetable:
    """The lines that output entries come to in running of one length, for every seed: no time is drawn.

    How many line breaks a line has is known, too: numbers, which are all that a seed draws for it, have none.
    """

    def __init__(self, entries: tuple[OutputEntry, ...], running_ms: int | None) -> None:
        self.entries = entries
        times = (_entry_positions(index, entry, running_ms) for index, entry in enumerate(entries))
        self.positions = tuple(islice(heapq.merge(*times), MAX_OUTPUT_LINES))

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def weight(self) -> int:
        return len(self.positions)

    def count_until(self, at_ms: int) -> int:
        """How many lines are written up to `at_ms`, that instant included."""
        return bisect_left(self.positions, (at_ms + 1, 0, 0))  # the first position of the next instant

    def time_of(self, number: int) -> int:
        return self.positions[number][0]

    def of_stream(self, stream: OutputStream, count: int) -> array[int]:
        """The numbers of those of the first `count` lines that go to `stream`."""
        numbers = self._numbers[stream]
        return numbers[: bisect_left(numbers, count)]

    def last_of(self, stream: OutputStream, count: int) -> int | None:
        """The number of the last line that goes to `stream`, of the first `count` lines."""
        place = bisect_left(self._numbers[stream], count)
        return self._numbers[stream][place - 1] if place else None

    def breaks_in(self, count: int) -> int:
        """How many line breaks the first `count` lines have."""
        return self._breaks[count]

    def number_of_break(self, place: int) -> int:
        """The number of the line in which the line break is that comes after `place` others."""
        return bisect_right(self._breaks, place) - 1

    def constant(self, number: int) -> str | None:
        """The text of this line if nothing is filled in."""
        return self._constants[self.positions[number][1]]

    def is_open(self, stream: OutputStream, count: int) -> bool:
        """Whether what the first `count` lines write to `stream` ends within a line."""
        number = self.last_of(stream, count)
        while number is not None:
            skeleton = self._skeletons[self.positions[number][1]]
            if skeleton:
                return not skeleton.endswith("\n")
            number = self.last_of(stream, number)
        return False

    @cached_property
    def _constants(self) -> tuple[str | None, ...]:
        texts = (entry.text for entry in self.entries)
        return tuple(text[0] if len(text) == 1 and isinstance(text[0], str) else None for text in texts)

    @cached_property
    def _skeletons(self) -> tuple[str, ...]:
        return tuple(map(_skeleton, self.entries))

    @cached_property
    def _numbers(self) -> dict[OutputStream, array[int]]:
        streams = [entry.stream for entry in self.entries]
        numbers = {stream: array("L") for stream in OutputStream}
        for number, (_, index, _) in enumerate(self.positions):
            numbers[streams[index]].append(number)
        return numbers

    @cached_property
    def _breaks(self) -> array[int]:
        each = [skeleton.count("\n") for skeleton in self._skeletons]
        return array("L", accumulate((each[index] for _, index, _ in self.positions), initial=0))


def _entry_positions(index: int, entry: OutputEntry, running_ms: int | None) -> Iterator[tuple[int, int, int]]:
    """(time, number of the entry, how often it came before), which also is the order of lines."""
    return ((at_ms, index, n) for n, at_ms in enumerate(_entry_times(entry, running_ms)))


def _entry_times(entry: OutputEntry, running_ms: int | None) -> Iterator[int]:
    if entry.every_ms is None:
        yield entry.from_ms
        return
    until_ms = running_ms if entry.until_ms is None else entry.until_ms
    at_ms = entry.from_ms
    while until_ms is None or at_ms <= until_ms:
        yield at_ms
        at_ms += entry.every_ms


def _skeleton(entry: OutputEntry) -> str:
    """A text of `entry` with a 0 for every number that is filled in."""
    pieces = []
    for piece in entry.text:
        if isinstance(piece, Placeholder):
            value = None if piece.name == "n" else entry.fields[piece.name]
            pieces.append(value if isinstance(value, str) else "0")
        else:
            pieces.append(piece)
    return "".join(pieces)
