"""A parent and its children, whatever their scripts and whatever is ordered of whom: the two never contradict."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import assume, event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.runs.billing import billed_usd
from emulator.runs.command import Command, Order
from emulator.runs.lifecycle import Cause
from emulator.runs.parent import succeeded
from emulator.runs.run import Run
from emulator.runs.selection import SelectionStatus, memory_needs, profiled, selection_status, total_usd
from emulator.scenario.model import Selection
from emulator.scenario.ranges import DurationRange
from emulator.scenario.script import stretches_of
from emulator.scenario.submission import Kind
from emulator.statuses import FOLLOWERS, RunStatus
from tests.strategies import T0, commands, offsets_ms, run_of, scenario_of, scenarios, seeds, submissions

FOREVER_MS = T0 + 10**10
BUSY = (
    SelectionStatus.RUNNING,
    SelectionStatus.EXTRACTING,
    SelectionStatus.PROFILING,
    SelectionStatus.PROCESSING,
)
WAY = (SelectionStatus.QUEUED, SelectionStatus.INITIALIZING, *BUSY)

instants = offsets_ms.map(lambda offset: T0 + offset)
_stretches = st.sampled_from((0, 0, 500, 3_000, 20_000)).map(lambda ms: DurationRange(ms, ms))


def parent_of(children: Sequence[Run], selection: Selection) -> Run:
    named = [replace(child, execution_id=f"child-{n}", parent_id="run-1") for n, child in enumerate(children)]
    parent = run_of(scenario_of(selection=selection))
    submission = replace(parent.submission, kind=Kind.GPU_SELECTION, hardware="cpu")
    return replace(parent, submission=submission, children=tuple(named))


def ordered(parent: Run, command: Command, whose: int | None) -> Run:
    """`parent` once it, or the child with that number, was given `command`; refused as a tenant refuses it."""
    run = parent if whose is None else parent.children[whose % len(parent.children)]
    status = run.course.status_at(command.at_ms)
    if status.is_terminal:
        return parent
    if command.order is Order.TRANSITION and command.to not in FOLLOWERS[status]:
        return parent
    return run.with_command(command) if whose is None else parent.with_child(run.with_command(command))


_selections = st.builds(Selection, analysis=_stretches, extraction=_stretches, processing=_stretches)
_children = st.lists(st.builds(run_of, scenarios(), submission=submissions, seed=seeds), min_size=1, max_size=4)
_orders = st.tuples(commands(), st.none() | st.integers(0, 3))


@st.composite
def parents(draw: st.DrawFn) -> Run:
    """A parent of up to four children; orders to it and to them come in order of time."""
    parent = parent_of(draw(_children), draw(_selections))
    for command, whose in sorted(draw(st.lists(_orders, max_size=4)), key=lambda order: order[0].at_ms):
        parent = ordered(parent, command, whose)
    return parent


@given(parents(), instants)
def test_the_parents_status_follows_from_its_childrens_at_every_time(parent: Run, now_ms: int) -> None:
    status = parent.course.status_at(now_ms)
    event(status)
    children = [child.course.status_at(now_ms) for child in parent.children]
    taken = [{reached for reached, _ in child.course.transitions(now_ms)} for child in parent.children]
    started, ran = (any(word in each for each in taken) for word in (RunStatus.STARTING, RunStatus.RUNNING))
    if status.is_terminal:
        assert all(child.is_terminal for child in children)
    elif all(child.is_terminal for child in children):
        assert status is RunStatus.RUNNING  # only what follows the children is left
    if status is RunStatus.PENDING:
        assert not started
    elif status is RunStatus.STARTING:
        assert started
        assert not ran
    elif status is RunStatus.RUNNING:
        assert ran


@given(parents())
def test_the_parents_ending_is_the_best_of_its_childrens(parent: Run) -> None:
    end = parent.course.end
    ends = [child.course.end for child in parent.children if child.course.end]
    assert (end is None) == (len(ends) < len(parent.children)) or (end is not None and end.cause is not Cause.SCRIPT)
    if end is None or end.cause is not Cause.SCRIPT:
        return
    endings = {each.ending.status for each in ends if succeeded(each) or each.cause is not Cause.STOP}
    best = next(
        (
            status
            for status in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.SYSTEM_FAILURE, RunStatus.ABORTED)
            if status in endings
        ),
        RunStatus.CANCELLED,
    )
    assert end.ending.status is best
    assert (end.ending.return_code is None) == (best is RunStatus.SYSTEM_FAILURE)


@given(parents())
def test_the_parents_lifecycle_is_legal_and_without_gaps(parent: Run) -> None:
    taken = parent.course.transitions(FOREVER_MS)
    assert taken[0] == (RunStatus.PENDING, T0)
    causes = {run.course.end.cause for run in (parent, *parent.children) if run.course.end}
    for (before, left_ms), (after, taken_ms) in pairwise(taken):
        assert after in FOLLOWERS[before] or (after is RunStatus.COMPLETED and Cause.COMPLETE in causes)
        assert left_ms <= taken_ms
    stages = parent.course.stages
    assert all(before.ends_ms == after.starts_ms for before, after in pairwise(stages))
    assert stages[-1].ends_ms == (parent.course.end.at_ms if parent.course.end else None)


@given(parents(), st.lists(instants, min_size=2, max_size=6))
def test_the_words_come_in_their_order_and_fit_the_lifecycle(parent: Run, times: list[int]) -> None:
    words = [(now_ms, selection_status(parent, now_ms)) for now_ms in sorted(times)]
    places = [WAY.index(word) if word in WAY else len(WAY) for _, word in words]
    assert places == sorted(places)
    for now_ms, word in words:
        status = parent.course.status_at(now_ms)
        if word in BUSY:
            assert status is RunStatus.RUNNING
        if word is SelectionStatus.PROFILING:
            assert not all(child.course.ended_by(now_ms) for child in parent.children)
        if word is SelectionStatus.PROCESSING:
            assert all(child.course.ended_by(now_ms) for child in parent.children)
        assert (word not in WAY) == status.is_terminal


@given(parents())
def test_the_end_comes_right_after_the_last_child_and_the_selections_own_work(parent: Run) -> None:
    end, stretches = parent.course.end, stretches_of(parent.script)
    assume(end is not None)
    assert end is not None
    last_ms = max(child.course.end.at_ms for child in parent.children if child.course.end)
    running_ms = parent.course.started_ms(RunStatus.RUNNING)
    own_ms = 0 if running_ms is None else stretches.processing_ms
    read_ms = last_ms if running_ms is None else running_ms + stretches.analysis_ms + stretches.extraction_ms
    if end.cause is Cause.SCRIPT:
        assert end.at_ms == max(last_ms, read_ms) + own_ms
    else:
        assert last_ms <= end.at_ms <= max(last_ms, read_ms) + own_ms


@given(parents(), _orders, st.data())
def test_an_order_leaves_the_past_of_the_whole_family_as_it_was(
    parent: Run, order: tuple[Command, int | None], data: st.DataObject
) -> None:
    command, whose = order
    earlier = [given.at_ms for run in (parent, *parent.children) for given in run.commands]
    assume(all(at_ms <= command.at_ms for at_ms in earlier))
    assume(command.at_ms > T0)
    before_ms = data.draw(st.integers(T0, command.at_ms - 1))
    after = ordered(parent, command, whose)
    for was, now in zip((parent, *parent.children), (after, *after.children), strict=True):
        assert now.course.transitions(before_ms) == was.course.transitions(before_ms)
        assert billed_usd(now, before_ms) == billed_usd(was, before_ms)
    assert selection_status(after, before_ms) is selection_status(parent, before_ms)
    assert memory_needs(after, before_ms) == memory_needs(parent, before_ms)


@given(parents(), instants)
def test_an_abort_of_the_parent_ends_all_that_is_active_there_and_then(parent: Run, now_ms: int) -> None:
    assume(all(given.at_ms <= now_ms for run in (parent, *parent.children) for given in run.commands))
    assume(not parent.course.ended_by(now_ms))
    over = [child for child in parent.children if child.course.ended_by(now_ms)]
    aborted = parent.with_command(Command(Order.ABORT, now_ms))
    assert aborted.course.status_at(now_ms) is RunStatus.ABORTED
    assert selection_status(aborted, now_ms) is SelectionStatus.ABORTED
    for was, child in zip(parent.children, aborted.children, strict=True):
        if was in over:
            assert child.course == was.course
        else:
            assert child.course.end is not None
            assert (child.course.end.at_ms, child.course.status_at(now_ms)) == (now_ms, RunStatus.ABORTED)


@given(parents(), instants)
def test_results_are_those_of_the_children_that_are_over(parent: Run, now_ms: int) -> None:
    results = profiled(parent, now_ms)
    assert [result.child for result in results] == [
        child for child in parent.children if child.course.status_at(now_ms).is_terminal
    ]
    assert total_usd(parent, now_ms) == round(sum(billed_usd(child, now_ms) for child in parent.children), 6)
    assert billed_usd(parent, now_ms) == 0
