"""Runs and what they are made of, for tests: built by hand where a test names its values, drawn elsewhere.

Drawn durations and command times are multiples of half a second, so that instants often coincide: that is
where a lifecycle goes wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.runs.command import Command, Order
from emulator.runs.run import Run
from emulator.scenario.choice import Choice, Rule
from emulator.scenario.model import Scenario, TimeLimit
from emulator.scenario.output import FieldSpec, OutputEntry, OutputStream, Placeholder, Template
from emulator.scenario.ranges import DurationRange, NumberRange, Ramp
from emulator.scenario.script import resolve
from emulator.scenario.submission import Kind, Submission
from emulator.scenario.timeline import Ending, StageSpec
from emulator.statuses import ACTIVE, FOLLOWERS, RunStatus

T0 = 1_767_225_600_000
"""When the runs of tests are submitted: 2026-01-01T00:00:00Z."""

SUCCESS = Ending(RunStatus.COMPLETED, return_code=0)
PYTHON = Submission(kind=Kind.PYTHON, hardware="gpu.h100", code="print()")


def lasting(ms: int) -> DurationRange:
    return DurationRange(ms, ms)


def scenario_of(
    pending_ms: int | None = 4_000,
    starting_ms: int | None = 40_000,
    running_ms: int | None = 240_000,
    *,
    ending: Ending | None = SUCCESS,
    until: RunStatus = RunStatus.RUNNING,
    **keys: Any,
) -> Scenario:
    """A scenario that passes the stages up to `until`; None lasts until somebody stops the run."""
    lengths = dict(zip(ACTIVE, (pending_ms, starting_ms, running_ms), strict=True))
    passed = ACTIVE[: ACTIVE.index(until) + 1]
    timeline = tuple(StageSpec(status, None if (ms := lengths[status]) is None else lasting(ms)) for status in passed)
    texts: dict[str, Any] = {"name": "made-up", "summary": "", "source": "test", "text": "", "digest": ""}
    return Scenario(**{**texts, "timeline": timeline, "ending": ending, **keys})


def run_of(
    scenario: Scenario, *commands: Command, seed: int = 0, submission: Submission = PYTHON, **changes: Any
) -> Run:
    """A run of `scenario`, submitted at T0; `changes` are made to its submission."""
    made = replace(submission, **changes)
    chosen_by = Choice(Rule.DEFAULT, "for a test")
    return Run("run-1", seed, made, resolve(scenario, seed), chosen_by, T0, tuple(commands))


def abort(at_s: float) -> Command:
    return Command(Order.ABORT, T0 + round(at_s * 1000))


def stop(at_s: float) -> Command:
    return Command(Order.STOP, T0 + round(at_s * 1000))


def complete(at_s: float) -> Command:
    return Command(Order.COMPLETE, T0 + round(at_s * 1000))


def force(at_s: float, to: RunStatus, detail: str | None = None) -> Command:
    return Command(Order.TRANSITION, T0 + round(at_s * 1000), to, detail)


# Strategies are built once, here: building one for every draw costs more than drawing from it.
seeds = st.integers(0, 2**63 - 1)
offsets_ms = st.integers(0, 160).map(lambda n: n * 500) | st.integers(0, 80_000)
"""A time since the submission, often one at which something happens."""

_lengths_ms = st.sampled_from((0, 0, 500, 1_000, 2_500, 5_000, 8_000, 20_000))
_repetitions_ms = st.sampled_from((None, None, 500, 1_500, 5_000))
_errors = st.sampled_from((None, "boom", "Traceback:\n  boom\n"))
_fields: st.SearchStrategy[FieldSpec] = st.sampled_from(
    (Ramp(2.5, 0.5), NumberRange(2, 9), NumberRange(0.0, 1.5), 7, 0.25, "word")
)
_text_pieces: tuple[str | Placeholder, ...] = (
    *("tick ", "\n", "a\nb\n", "é", "\U0001f600\n", "\r", "boom"),
    Placeholder("n"),
    Placeholder("value"),
)


def _template(pieces: list[str | Placeholder]) -> Template:
    return tuple(pieces)


_texts = st.lists(st.sampled_from(_text_pieces), min_size=1, max_size=3).map(_template)
_streams = st.sampled_from(OutputStream)
_passed = st.sampled_from([ACTIVE[:count] for count in (1, 2, 3, 3, 3)])
_time_limits = st.sampled_from(TimeLimit)
_stop_statuses = st.sampled_from((RunStatus.COMPLETED, RunStatus.CANCELLED))
_ends = {
    status: st.sampled_from([to for to in RunStatus if to in FOLLOWERS[status] and to.is_terminal] + [None])
    for status in ACTIVE
}
_return_codes = {RunStatus.COMPLETED: 0, RunStatus.CANCELLED: 143, RunStatus.ABORTED: 137}


@st.composite
def _ranges(draw: st.DrawFn) -> DurationRange:
    low, high = sorted((draw(_lengths_ms), draw(_lengths_ms)))
    return DurationRange(low, high)


@st.composite
def _endings(draw: st.DrawFn, last: RunStatus) -> Ending | None:
    """What a scenario file can say comes after `last`."""
    match draw(_ends[last]):
        case None:
            return None
        case RunStatus.FAILED:
            return Ending(RunStatus.FAILED, draw(st.integers(1, 255)), draw(_errors))
        case RunStatus.SYSTEM_FAILURE:
            return Ending(RunStatus.SYSTEM_FAILURE, None, draw(_errors))
        case status:
            return Ending(status, _return_codes[status])


@st.composite
def _entries(draw: st.DrawFn, endless: bool) -> OutputEntry:
    """An entry of `output`; in a run without an end, a repeated one says until when."""
    every_ms = draw(_repetitions_ms)
    until_ms = draw(_lengths_ms) if every_ms is not None and (endless or draw(st.booleans())) else None
    texts, fields = draw(_texts), {"value": draw(_fields)}
    return OutputEntry(texts, draw(_streams), draw(_lengths_ms), every_ms, until_ms, fields)


_duration_ranges = _ranges()
_endings_after = {status: _endings(status) for status in ACTIVE}
_outputs = {endless: st.lists(_entries(endless), max_size=3).map(tuple) for endless in (True, False)}


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Any scenario that a file can say, without metrics and match."""
    passed = draw(_passed)
    ending = draw(_endings_after[passed[-1]])
    lengths: list[DurationRange | None] = [draw(_duration_ranges) for _ in passed]
    if ending is None:
        lengths[-1] = None
    return scenario_of(
        timeline=tuple(map(StageSpec, passed, lengths)),
        ending=ending,
        output=draw(_outputs[ending is None]) if passed[-1] is RunStatus.RUNNING else (),
        time_limit=draw(_time_limits),
        stop_status=draw(_stop_statuses),
        shutdown=draw(_duration_ranges),
        seed=draw(st.none() | seeds),
    )


submissions = st.builds(
    replace,
    st.just(PYTHON),
    hardware=st.sampled_from(("cpu", "gpu.h100", "gpu.l40s.4x")),
    timeout_s=st.integers(1, 30),
    graceful_timeout_s=st.none() | st.integers(1, 12),
)

_orders = st.sampled_from(Order)
_targets = st.sampled_from(RunStatus)
_details = st.sampled_from((None, "because"))


@st.composite
def commands(draw: st.DrawFn) -> Command:
    order, at_ms = draw(_orders), T0 + draw(offsets_ms)
    if order is not Order.TRANSITION:
        return Command(order, at_ms)
    return Command(order, at_ms, draw(_targets), draw(_details))


def in_order(given: Sequence[Command]) -> tuple[Command, ...]:
    return tuple(sorted(given, key=lambda command: command.at_ms))


_command_lists = st.lists(commands(), max_size=4).map(in_order)
_scenarios = scenarios()


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A run with up to four commands, which may come at any time and may be forbidden."""
    return run_of(draw(_scenarios), *draw(_command_lists), seed=draw(seeds), submission=draw(submissions))
