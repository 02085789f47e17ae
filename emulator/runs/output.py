"""What a run has written so far: as pieces for the stream, as texts for the record, as lines for the logs.

All three come from `written`, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from emulator.runs.lifecycle import Cause
from emulator.runs.run import Run
from emulator.scenario.environment import traceback_of
from emulator.scenario.model import OutputStream
from emulator.scenario.rendering import Output, output_of
from emulator.statuses import RunStatus

RECORD_LIMIT_BYTES = 1 << 20
"""The record keeps the last MiB of each text; the logs keep all. Inferred."""


class Piece(NamedTuple):
    """A piece of output as it left the process, at an instant."""

    at_ms: int
    stream: OutputStream
    text: str


class LogLine(NamedTuple):
    """One line without its line break, at the instant at which it was complete."""

    at_ms: int
    stream: OutputStream
    message: str


def written(run: Run, now_ms: int, *, skip: int = 0, limit: int | None = None) -> list[Piece]:
    """The output up to `now_ms`, oldest first, without its first `skip` pieces, at most `limit` of them.

    A line due at the very instant of the end is still written. As time goes on, pieces are only added.
    """
    begins_ms = run.course.started_ms(RunStatus.RUNNING)
    if begins_ms is None or begins_ms > now_ms:
        return []
    end = run.course.ended_by(now_ms)
    upto_ms = end.at_ms if end else now_ms
    output = output_of(run.script)
    count = output.count_until(upto_ms - begins_ms)
    stop = count if limit is None else min(count, skip + limit)
    pieces = [Piece(begins_ms + at_ms, stream, text) for at_ms, stream, text in output.lines(skip, stop)]
    if end and skip <= count == stop and (farewell := _farewell(run, output, count)):
        pieces.append(Piece(end.at_ms, OutputStream.STDERR, farewell))
    return pieces


def _farewell(run: Run, output: Output, count: int) -> str | None:
    """The error of a failed run, for the end of its stderr, unless the last that went there tells it already."""
    end = run.course.end
    if end is None or end.ending.status is not RunStatus.FAILED or not end.ending.error:
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
    begins_ms = run.course.started_ms(RunStatus.RUNNING)
    if begins_ms is None:
        return None
    output = output_of(run.script)
    number = output.count_until(now_ms - begins_ms)
    if number == len(output):
        return None
    due_ms = begins_ms + output.time_of(number)
    end = run.course.end
    return due_ms if end is None or due_ms <= end.at_ms else None


def text_of(pieces: Sequence[Piece], stream: OutputStream | None = None) -> str:
    """The last MiB of what went to `stream`, or of both together."""
    kept: list[str] = []
    size = 0
    for piece in reversed(pieces):
        if stream is None or piece.stream is stream:
            kept.append(piece.text)
            size += len(piece.text)
            if size > RECORD_LIMIT_BYTES:  # more characters than that are more bytes, too
                break
    whole = "".join(reversed(kept))
    encoded = whole.encode()
    if len(encoded) <= RECORD_LIMIT_BYTES:
        return whole
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
