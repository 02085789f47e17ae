"""What a run has written so far: as pieces for the stream, as texts for the record, as lines for the logs.

All three come from what `_reached` says, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

from msgspec import Struct

from emulator.runs.lifecycle import Cause, End
from emulator.runs.run import Run
from emulator.scenario.environment import traceback_of
from emulator.scenario.output import OutputStream
from emulator.scenario.rendering import Output, Texts, output_of, timetable_of
from emulator.scenario.script import Script
from emulator.scenario.timetable import Timetable
from emulator.statuses import RUNNING, RunStatus

RECORD_LIMIT_BYTES = 1 << 20
"""The record keeps the last MiB of each text; the logs keep all. Inferred."""


class Piece(Struct, frozen=True, gc=False):
    """A piece of output as it left the process, at an instant."""

    at_ms: int
    stream: OutputStream
    text: str


class LogLine(Struct, frozen=True, gc=False):
    """One line without its line break, at the instant at which it was complete."""

    at_ms: int
    stream: OutputStream
    message: str


class _Reached(Struct, frozen=True, gc=False):
    """How far a run's output has come: the first `count` lines of it, and if the run is over, its end."""

    script: Script
    times: Timetable
    begins_ms: int
    count: int
    end: End | None

    @property
    def output(self) -> Output:
        """The texts, for those who need them."""
        return output_of(self.script)


def _reached(run: Run, now_ms: int) -> _Reached | None:
    """None as long as the code does not run."""
    course = run.course
    begins_ms = course.started_ms(RUNNING)
    if begins_ms is None or begins_ms > now_ms:
        return None
    end = course.ended_by(now_ms)
    upto_ms = now_ms if end is None else end.at_ms
    times = timetable_of(run.script)
    return _Reached(run.script, times, begins_ms, times.count_until(upto_ms - begins_ms), end)


def written(run: Run, now_ms: int, *, skip: int = 0, limit: int | None = None) -> list[Piece]:
    """The output up to `now_ms`, oldest first, without its first `skip` pieces, at most `limit` of them.

    A line due at the very instant of the end is still written. As time goes on, pieces are only added.
    """
    reached = _reached(run, now_ms)
    if reached is None:
        return []
    return _pieces(reached, skip, limit)


def _pieces(reached: _Reached, skip: int, limit: int | None) -> list[Piece]:
    begins_ms, count, end = reached.begins_ms, reached.count, reached.end
    stop = count if limit is None else min(count, skip + limit)
    pieces = [Piece(begins_ms + line.at_ms, line.stream, line.text) for line in reached.output.lines(skip, stop)]
    if end and skip <= count == stop and (farewell := _farewell(reached)):
        pieces.append(Piece(end.at_ms, OutputStream.STDERR, farewell))
    return pieces


def last_lines(run: Run, now_ms: int, most: int) -> list[str]:
    """The last `most` lines that `run` has written up to `now_ms`, of both streams; renders no more than those."""
    reached = _reached(run, now_ms)
    if reached is None:
        return []
    pieces = _pieces(reached, max(0, reached.count - most), None)
    return "".join(piece.text for piece in pieces).splitlines()[-most:]


def recorded(run: Run, now_ms: int) -> Texts:
    """The last MiB of what `run` has written up to `now_ms`: to each stream, and to both together."""
    reached = _reached(run, now_ms)
    if reached is None:
        return Texts("", "", "")
    found = reached.output.texts(reached.count, RECORD_LIMIT_BYTES)  # no character takes less than a byte
    if farewell := _farewell(reached):
        found = Texts(found.stdout, found.stderr + farewell, found.combined + farewell)
    if len(found.combined) <= RECORD_LIMIT_BYTES // 4:  # no character takes more bytes
        return found
    return Texts(last_mib(found.stdout), last_mib(found.stderr), last_mib(found.combined))


def _farewell(reached: _Reached) -> str | None:
    """The error of a failed run, for the end of its stderr, unless the last that went there tells it already."""
    end = reached.end
    if end is None or not end.ending.error or end.ending.status is not RunStatus.FAILED:
        return None
    if end.cause is Cause.MISSING_VARIABLE:
        return traceback_of(end.ending)
    error = end.ending.error.rstrip("\n")
    last = reached.times.last_of(OutputStream.STDERR, reached.count)
    if last is not None:
        constant = reached.times.constant(last)  # of most runs: to see it takes no rendering
        told = reached.output.text(last) if constant is None else constant
        if error in told:
            return None
    return f"{error}\n"


def next_piece_ms(run: Run, now_ms: int) -> int | None:
    """When the next output after `now_ms` is due, or None if there is none before the end."""
    begins_ms = run.course.started_ms(RUNNING)
    if begins_ms is None:
        return None
    times = timetable_of(run.script)
    number = times.count_until(now_ms - begins_ms)
    if number == len(times):
        return None
    due_ms = begins_ms + times.time_of(number)
    end = run.course.end
    return due_ms if end is None or due_ms <= end.at_ms else None


def last_mib(text: str) -> str:
    """The end of `text`: RECORD_LIMIT_BYTES of it at most, in UTF-8."""
    text = text[-RECORD_LIMIT_BYTES:]  # more characters than that are more bytes, too
    if text.isascii():
        return text
    encoded = text.encode()
    if len(encoded) <= RECORD_LIMIT_BYTES:
        return text
    return encoded[-RECORD_LIMIT_BYTES:].decode(errors="ignore")  # the cut may fall into a character


class Log:
    """The output of a run cut into lines, those from `since_ms` up to `now_ms`.

    What has no line break yet comes when the run is over. How many lines there are, and when each of them was
    complete, is known before any is rendered.
    """

    def __init__(self, run: Run, now_ms: int, since_ms: int = 0) -> None:
        reached = self._reached = _reached(run, now_ms)
        # The lines before, and those up to the end; the lines that the end brings with it.
        self._first = self._stop = self._at_end = 0
        if reached is None:
            return
        times, count, end = reached.times, reached.count, reached.end
        self._stop = times.breaks_in(count)
        early = times.count_until(since_ms - 1 - reached.begins_ms)
        self._first = min(times.breaks_in(early), self._stop)
        if end is not None and end.at_ms >= since_ms:
            farewell = _farewell(reached) or ""
            open_lines = times.is_open(OutputStream.STDOUT, count) + _is_open_after(farewell, reached)
            self._at_end = farewell.count("\n") + open_lines

    def __len__(self) -> int:
        return self._stop - self._first + self._at_end

    def instants(self) -> Iterator[int]:
        """When each line was complete, the newest first."""
        reached = self._reached
        if reached is None:
            return
        if reached.end is not None:
            yield from repeat(reached.end.at_ms, self._at_end)
        times, begins_ms = reached.times, reached.begins_ms
        for place in range(self._stop - 1, self._first - 1, -1):
            yield begins_ms + times.time_of(times.number_of_break(place))

    def last(self, most: int) -> list[LogLine]:
        """The newest lines, oldest first; renders no others."""
        reached, most = self._reached, min(most, len(self))
        if reached is None or not most:
            return []
        first = self._stop - max(0, most - self._at_end)
        number = reached.count if first == self._stop else reached.times.number_of_break(first)
        begun = {stream: _begun(reached.output, stream, number) for stream in OutputStream}
        lines = list(_lines(_pieces(reached, number, None), begun, reached.end))
        return lines[len(lines) - most :]


def log_lines(run: Run, now_ms: int) -> list[LogLine]:
    """The whole log, oldest first."""
    log = Log(run, now_ms)
    return log.last(len(log))


def _is_open_after(farewell: str, reached: _Reached) -> bool:
    """Whether a run's stderr ends within a line once it has said farewell."""
    if farewell:
        return not farewell.endswith("\n")
    return reached.times.is_open(OutputStream.STDERR, reached.count)


def _begun(output: Output, stream: OutputStream, count: int) -> list[str]:
    """The pieces of the line within which the first `count` lines of output leave `stream`."""
    parts: list[str] = []
    if not output.times.is_open(stream, count):
        return parts
    for number in reversed(output.times.of_stream(stream, count)):
        _, line_break, part = output.text(number).rpartition("\n")
        parts.append(part)
        if line_break:
            break
    parts.reverse()
    return parts


def _lines(pieces: list[Piece], begun: dict[OutputStream, list[str]], end: End | None) -> Iterator[LogLine]:
    """`pieces` cut into lines, where each stream has `begun` one already."""
    for piece in pieces:
        first, *others = piece.text.split("\n")
        begun[piece.stream].append(first)
        for following in others:
            yield LogLine(piece.at_ms, piece.stream, "".join(begun[piece.stream]))
            begun[piece.stream] = [following]
    if end is not None:
        for stream, parts in begun.items():
            if message := "".join(parts):
                yield LogLine(end.at_ms, stream, message)
