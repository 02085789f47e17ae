"""What a run has written so far: as pieces for the stream, as texts for the record, as lines for the logs.

All three come from what `_reached` says, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from emulator.runs.lifecycle import Cause, End
from emulator.runs.run import Run
from emulator.scenario.environment import traceback_of
from emulator.scenario.output import OutputStream
from emulator.scenario.rendering import Output, Texts, output_of
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

    output: Output
    begins_ms: int
    count: int
    end: End | None


def _reached(run: Run, now_ms: int) -> _Reached | None:
    """None as long as the code does not run."""
    course = run.course
    begins_ms = course.started_ms(RUNNING)
    if begins_ms is None or begins_ms > now_ms:
        return None
    end = course.ended_by(now_ms)
    upto_ms = now_ms if end is None else end.at_ms
    output = output_of(run.script)
    return _Reached(output, begins_ms, output.count_until(upto_ms - begins_ms), end)


def written(run: Run, now_ms: int, *, skip: int = 0, limit: int | None = None) -> list[Piece]:
    """The output up to `now_ms`, oldest first, without its first `skip` pieces, at most `limit` of them.

    A line due at the very instant of the end is still written. As time goes on, pieces are only added.
    """
    reached = _reached(run, now_ms)
    if reached is None:
        return []
    begins_ms, count, end = reached.begins_ms, reached.count, reached.end
    stop = count if limit is None else min(count, skip + limit)
    pieces = [Piece(begins_ms + line.at_ms, line.stream, line.text) for line in reached.output.lines(skip, stop)]
    if end and skip <= count == stop and (farewell := _farewell(end, reached.output, count)):
        pieces.append(Piece(end.at_ms, OutputStream.STDERR, farewell))
    return pieces


def last_lines(run: Run, now_ms: int, most: int) -> list[str]:
    """The last `most` lines that `run` has written up to `now_ms`, of both streams; renders no more than those."""
    reached = _reached(run, now_ms)
    if reached is None:
        return []
    pieces = written(run, now_ms, skip=max(0, reached.count - most))
    return "".join(piece.text for piece in pieces).splitlines()[-most:]


def recorded(run: Run, now_ms: int) -> Texts:
    """The last MiB of what `run` has written up to `now_ms`: to each stream, and to both together."""
    reached = _reached(run, now_ms)
    if reached is None:
        return Texts("", "", "")
    output, count, end = reached.output, reached.count, reached.end
    whole = output.texts(count)
    if end and (farewell := _farewell(end, output, count)):
        whole = Texts(whole.stdout, whole.stderr + farewell, whole.combined + farewell)
    if len(whole.combined) <= RECORD_LIMIT_BYTES // 4:  # no character takes more bytes
        return whole
    return Texts(last_mib(whole.stdout), last_mib(whole.stderr), last_mib(whole.combined))


def _farewell(end: End, output: Output, count: int) -> str | None:
    """The error of a failed run, for the end of its stderr, unless the last that went there tells it already."""
    if not end.ending.error or end.ending.status is not RunStatus.FAILED:
        return None
    if end.cause is Cause.MISSING_VARIABLE:
        return traceback_of(end.ending)
    error = end.ending.error.rstrip("\n")
    for start in range(count - 1, -1, -1):
        line = output.lines(start, start + 1)[0]
        if line.stream is OutputStream.STDERR:
            return None if error in line.text else f"{error}\n"
    return f"{error}\n"


def next_piece_ms(run: Run, now_ms: int) -> int | None:
    """When the next output after `now_ms` is due, or None if there is none before the end."""
    begins_ms = run.course.started_ms(RUNNING)
    if begins_ms is None:
        return None
    output = output_of(run.script)
    number = output.count_until(now_ms - begins_ms)
    if number == len(output):
        return None
    due_ms = begins_ms + output.time_of(number)
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


def log_lines(run: Run, now_ms: int) -> Iterator[LogLine]:
    """The output cut into lines, oldest first; what has no line break yet comes when the run is over."""
    unfinished: dict[OutputStream, list[str]] = {stream: [] for stream in OutputStream}
    for piece in written(run, now_ms):
        first, *others = piece.text.split("\n")
        unfinished[piece.stream].append(first)
        for following in others:
            yield LogLine(piece.at_ms, piece.stream, "".join(unfinished[piece.stream]))
            unfinished[piece.stream] = [following]
    if end := run.course.ended_by(now_ms):
        for stream, parts in unfinished.items():
            if message := "".join(parts):
                yield LogLine(end.at_ms, stream, message)
