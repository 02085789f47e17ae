"""Scripts: a scenario resolved for one run's seed, every duration drawn and every line's time fixed."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from emulator.noise import between, uniform
from emulator.scenario.model import (
    DurationRange,
    Ending,
    FieldSpec,
    NumberRange,
    OutputEntry,
    OutputStream,
    Ramp,
    Scenario,
    Template,
)
from emulator.statuses import RunStatus

MAX_LINES_PER_ENTRY = 100_000
"""A repeated entry falls silent after so many lines, so that a run without an end stays readable."""

# The parts of a script that draw from the seed, each with a number of its own, so that adding one never changes
# what the others drew.
_DRAW_STAGE, _DRAW_SHUTDOWN, _DRAW_FIELD = 1, 2, 3


class ScriptedStage(NamedTuple):
    """A stretch with one status; no duration means until somebody stops the run."""

    status: RunStatus
    duration_ms: int | None


class Line(NamedTuple):
    """A piece of output and when it is written, counted from the start of running."""

    at_ms: int
    stream: OutputStream
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """What one run will do if nobody interferes."""

    scenario: Scenario
    seed: int
    stages: tuple[ScriptedStage, ...]
    shutdown_ms: int

    @property
    def ending(self) -> Ending | None:
        """How the run ends by itself, or None if it never does."""
        return self.scenario.ending

    @property
    def running_ms(self) -> int | None:
        """How long running lasts; None without end, 0 where the run never gets there."""
        last = self.stages[-1]
        return last.duration_ms if last.status is RunStatus.RUNNING else 0


def resolve(scenario: Scenario, run_seed: int) -> Script:
    """The script of `scenario` for one run; a seed in the scenario itself makes all its runs alike."""
    seed = run_seed if scenario.seed is None else scenario.seed
    stages = tuple(
        ScriptedStage(stage.status, None if stage.duration is None else _draw(stage.duration, seed, _DRAW_STAGE, i))
        for i, stage in enumerate(scenario.timeline)
    )
    return Script(scenario, seed, stages, _draw(scenario.shutdown, seed, _DRAW_SHUTDOWN))


def _draw(span: DurationRange, seed: int, *key: int) -> int:
    return span.low_ms if span.low_ms == span.high_ms else between(span.low_ms, span.high_ms, seed, *key)


# Rendering ten thousand lines takes tens of milliseconds, and a client that follows a run asks again and again.
@lru_cache(maxsize=16)
def output_lines(script: Script) -> tuple[Line, ...]:
    """Everything the script writes, in order of time; of one instant, in the order of the file."""
    entries = (_entry_lines(script, index, entry) for index, entry in enumerate(script.scenario.output))
    return tuple(heapq.merge(*entries, key=itemgetter(0)))


def _entry_lines(script: Script, index: int, entry: OutputEntry) -> Iterator[Line]:
    for n, at_ms in islice(enumerate(_entry_times(script, entry)), MAX_LINES_PER_ENTRY):
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
            key = (_DRAW_FIELD, index, position, n)
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
