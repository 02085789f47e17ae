"""What a run has written so far: as pieces for the stream, as texts for the record, as lines for the logs.

All three come from `written`, so they cannot disagree.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from emulator.runs.run import Run
from emulator.scenario.model import OutputStream
from emulator.scenario.rendering import Line, output_lines
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


def written(run: Run, now_ms: int, *, skip: int = 0) -> list[Piece]:
    """The output up to `now_ms`, oldest first, without its first `skip` pieces.

    A line due at the very instant of the end is still written. As time goes on, pieces are only added.
    """
    begins_ms = run.course.started_ms(RunStatus.RUNNING)
    if begins_ms is None or begins_ms > now_ms:
        return []
    end = run.course.ended_by(now_ms)
    upto_ms = end.at_ms if end else now_ms
    lines = output_lines(run.script)
    count = bisect_right(lines, upto_ms - begins_ms, key=attrgetter("at_ms"))
    pieces = [Piece(begins_ms + line.at_ms, line.stream, line.text) for line in lines[skip:count]]
    if end and skip <= count and (farewell := _farewell(run, lines[:count])):
        pieces.append(Piece(end.at_ms, OutputStream.STDERR, farewell))
    return pieces


def _farewell(run: Run, lines: tuple[Line, ...]) -> str | None:
    """The error of a failed run, for the end of its stderr, unless the scenario's own output ends with it."""
    end = run.course.end
    if end is None or end.ending.status is not RunStatus.FAILED or not end.ending.error:
        return None
    error = end.ending.error.rstrip("\n")
    last = next((line.text for line in reversed(lines) if line.stream is OutputStream.STDERR), "")
    return None if last.rstrip("\n").endswith(error) else f"{error}\n"


def next_piece_ms(run: Run, now_ms: int) -> int | None:
    """When the next output after `now_ms` is due, or None if there is none before the end."""
    begins_ms = run.course.started_ms(RunStatus.RUNNING)
    if begins_ms is None:
        return None
    lines = output_lines(run.script)
    index = bisect_right(lines, now_ms - begins_ms, key=attrgetter("at_ms"))
    if index == len(lines):
        return None
    due_ms = begins_ms + lines[index].at_ms
    end = run.course.end
    return due_ms if end is None or due_ms <= end.at_ms else None


def text_of(pieces: Iterable[Piece], stream: OutputStream | None = None) -> str:
    """The last MiB of what went to `stream`, or of both together."""
    whole = "".join(piece.text for piece in pieces if stream is None or piece.stream is stream)
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
