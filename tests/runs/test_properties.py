"""What holds for every run, whatever its script, its commands and their times."""

from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.runs.billing import billed_usd
from emulator.runs.command import Command, Order
from emulator.runs.failure import system_error
from emulator.runs.lifecycle import Cause
from emulator.runs.output import Log, LogLine, last_lines, log_lines, next_piece_ms, recorded, written
from emulator.runs.run import Run
from emulator.runs.timing import moments, phases
from emulator.scenario.output import OutputStream
from emulator.scenario.script import resolve
from emulator.statuses import FOLLOWERS, RunStatus
from tests.strategies import T0, commands, in_order, offsets_ms, runs

FOREVER_MS = T0 + 10**10

instants = offsets_ms.map(lambda offset: T0 + offset)


def shown(run: Run, now_ms: int) -> tuple[Any, ...]:
    """Everything that a run shows at `now_ms`, as plain values."""
    end = run.course.ended_by(now_ms)
    return (
        run.course.status_at(now_ms),
        tuple(run.course.transitions(now_ms)),
        moments(run, now_ms),
        tuple(phases(run, now_ms)),
        tuple(written(run, now_ms)),
        tuple(log_lines(run, now_ms)),
        billed_usd(run, now_ms),
        end,
        end and system_error(run, end),
    )


def afresh(run: Run) -> Run:
    """The same run, sharing nothing with the first."""
    return replace(run, script=resolve(run.script.scenario, run.seed))


# The lifecycle.


@given(runs())
def test_the_lifecycle_is_always_legal(run: Run) -> None:
    taken = run.course.transitions(FOREVER_MS)
    assert taken[0] == (RunStatus.PENDING, T0)
    for (before, left_ms), (after, taken_ms) in pairwise(taken):
        completed_by_client = after is RunStatus.COMPLETED and run.course.end and run.course.end.cause is Cause.COMPLETE
        assert after in FOLLOWERS[before] or completed_by_client
        assert left_ms <= taken_ms
    if run.course.end is not None:
        assert not FOLLOWERS[taken[-1][0]]


@given(runs())
def test_stages_join_without_gaps_up_to_the_end(run: Run) -> None:
    stages = run.course.stages
    assert stages[0].starts_ms == T0
    assert all(before.ends_ms == after.starts_ms for before, after in pairwise(stages))
    assert stages[-1].ends_ms == (run.course.end.at_ms if run.course.end else None)


@given(runs(), instants)
def test_the_status_is_that_of_the_last_transition(run: Run, now_ms: int) -> None:
    status, at_ms = run.course.transitions(now_ms)[-1]
    assert run.course.status_at(now_ms) is status
    assert at_ms <= now_ms
    assert (run.course.ended_by(now_ms) is not None) == status.is_terminal


@given(runs(), st.lists(instants, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_questions_changes_no_answer(run: Run, times: list[int], random: Any) -> None:
    ascending = {now_ms: shown(run, now_ms) for now_ms in sorted(times)}
    shuffled = list(times)
    random.shuffle(shuffled)
    again = afresh(run)
    assert {now_ms: shown(again, now_ms) for now_ms in shuffled} == ascending


@given(runs(), commands(), st.data())
def test_a_command_leaves_the_past_as_it_was(run: Run, command: Command, data: st.DataObject) -> None:
    assume(not run.commands or run.commands[-1].at_ms <= command.at_ms)
    assume(command.at_ms > T0)
    before_ms = data.draw(st.integers(T0, command.at_ms - 1))
    assert shown(run.with_command(command), before_ms) == shown(run, before_ms)


@given(runs(), commands())
def test_a_command_after_the_end_changes_nothing(run: Run, command: Command) -> None:
    end = run.course.end
    assume(end is not None)
    assert end is not None
    last_ms = run.commands[-1].at_ms if run.commands else T0
    late = replace(command, at_ms=max(end.at_ms, command.at_ms, last_ms))
    ordered = run.with_command(late)
    assert ordered.course == run.course
    assert shown(ordered, FOREVER_MS) == shown(run, FOREVER_MS)


@given(runs(), instants)
def test_an_abort_of_an_active_run_always_ends_it_there_and_then(run: Run, now_ms: int) -> None:
    kept = tuple(command for command in run.commands if command.at_ms <= now_ms)
    run = replace(run, commands=kept)
    assume(run.course.ended_by(now_ms) is None)
    aborted = run.with_command(Command(Order.ABORT, now_ms))
    assert aborted.course.status_at(now_ms) is RunStatus.ABORTED
    assert aborted.course.end is not None
    assert (aborted.course.end.at_ms, aborted.course.end.ending.return_code) == (now_ms, 137)


@given(runs(), st.lists(commands(), max_size=4))
def test_commands_one_by_one_are_the_same_as_all_at_once(run: Run, more: list[Command]) -> None:
    given = in_order([*run.commands, *more])
    one_by_one = replace(run, commands=())
    for command in given:
        one_by_one = one_by_one.with_command(command)
    assert one_by_one.course == replace(run, commands=given).course


# Moments and phases.


@given(runs(), instants)
def test_moments_come_in_order_and_none_from_the_future(run: Run, now_ms: int) -> None:
    found = moments(run, now_ms)
    named = (found.created_ms, found.received_ms, found.started_ms, found.ended_ms, found.finished_ms)
    there = [at_ms for at_ms in named if at_ms is not None]
    assert there == sorted(there)
    assert there[-1] <= now_ms
    assert found.created_ms == T0
    assert not (found.received_ms is None and found.started_ms is not None)
    assert (found.ended_ms is None) == (found.started_ms is None or found.finished_ms is None)


@given(runs(), instants)
def test_phases_span_the_time_from_submission_to_the_end_or_to_now(run: Run, now_ms: int) -> None:
    found = phases(run, now_ms)
    assert found[0].starts_ms == T0
    assert all(before.ends_ms == after.starts_ms for before, after in pairwise(found))
    end = run.course.ended_by(now_ms)
    assert found[-1].ends_ms == (end.at_ms if end else None)
    assert all(phase.starts_ms <= now_ms for phase in found)
    names = [phase.name for phase in found]
    assert len(set(names)) == len(names)


# Output.


@given(runs(), instants, instants)
def test_as_time_goes_on_output_is_only_added(run: Run, one_ms: int, other_ms: int) -> None:
    early_ms, late_ms = sorted((one_ms, other_ms))
    early, late = written(run, early_ms), written(run, late_ms)
    assert late[: len(early)] == early
    assert all(early_ms < piece.at_ms <= late_ms for piece in late[len(early) :])
    early_lines, late_lines = list(log_lines(run, early_ms)), list(log_lines(run, late_ms))
    assert late_lines[: len(early_lines)] == early_lines


@given(runs(), instants, st.integers(0, 30))
def test_skipping_is_slicing(run: Run, now_ms: int, skip: int) -> None:
    assert written(run, now_ms, skip=skip) == written(run, now_ms)[skip:]


@given(runs(), instants)
def test_output_lies_between_the_start_of_running_and_the_end_in_order_of_time(run: Run, now_ms: int) -> None:
    times = [piece.at_ms for piece in written(run, now_ms)]
    assert times == sorted(times)
    if times:
        started_ms = run.course.started_ms(RunStatus.RUNNING)
        end = run.course.ended_by(now_ms)
        assert started_ms is not None
        assert started_ms <= times[0]
        assert times[-1] <= (end.at_ms if end else now_ms)


@given(runs(), instants)
def test_pieces_texts_and_log_lines_agree(run: Run, now_ms: int) -> None:
    pieces = written(run, now_ms)
    lines = list(log_lines(run, now_ms))
    shown = recorded(run, now_ms)
    assert [entry.at_ms for entry in lines] == sorted(entry.at_ms for entry in lines)
    for stream in OutputStream:
        text = "".join(piece.text for piece in pieces if piece.stream is stream)
        assert getattr(shown, stream) == text
        *whole, unfinished = text.split("\n")
        if run.course.ended_by(now_ms) and unfinished:
            whole.append(unfinished)
        assert [entry.message for entry in lines if entry.stream is stream] == whole
    assert shown.combined == "".join(piece.text for piece in pieces)


@given(runs(), instants, instants, st.integers(0, 12))
def test_a_log_knows_of_its_lines_what_they_show_once_rendered(run: Run, now_ms: int, since_ms: int, most: int) -> None:
    young = [entry for entry in cut_into_lines(run, now_ms) if entry.at_ms >= since_ms]
    log = Log(run, now_ms, since_ms)
    assert len(log) == len(young)
    assert list(log.instants()) == [entry.at_ms for entry in reversed(young)]
    assert log.last(most) == young[len(young) - min(most, len(young)) :]
    assert log_lines(run, now_ms) == cut_into_lines(run, now_ms)


def cut_into_lines(run: Run, now_ms: int) -> list[LogLine]:
    """The whole log, of all pieces from the first on."""
    lines, unfinished = [], dict.fromkeys(OutputStream, "")
    for piece in written(run, now_ms):
        *whole, unfinished[piece.stream] = (unfinished[piece.stream] + piece.text).split("\n")
        lines += [LogLine(piece.at_ms, piece.stream, message) for message in whole]
    if end := run.course.ended_by(now_ms):
        lines += [LogLine(end.at_ms, stream, message) for stream, message in unfinished.items() if message]
    return lines


@given(runs(), instants, st.integers(1, 12))
def test_the_last_lines_are_those_of_the_whole_output(run: Run, now_ms: int, most: int) -> None:
    pieces = written(run, now_ms)
    whole = "".join(piece.text for piece in pieces).splitlines()
    found = last_lines(run, now_ms, most)
    assert len(found) <= most
    assert found == whole[len(whole) - len(found) :] or found[1:] == whole[len(whole) - len(found) + 1 :]


@given(runs(), instants)
def test_output_grows_exactly_when_the_next_piece_is_due(run: Run, now_ms: int) -> None:
    """But for the farewell of a failed run, which comes with its end."""
    have = len(written(run, now_ms))
    due_ms = next_piece_ms(run, now_ms)
    end = run.course.end
    if due_ms is not None:
        assert due_ms > now_ms
        assert len(written(run, due_ms - 1)) == have
        assert len(written(run, due_ms)) > have
    elif end is None:
        assert len(written(run, FOREVER_MS)) == have
    elif end.at_ms > now_ms:
        assert len(written(run, end.at_ms - 1)) == have
        assert len(written(run, end.at_ms)) <= have + 1
    else:
        assert len(written(run, FOREVER_MS)) == have


# Billing.


@given(runs(), instants, instants)
def test_a_bill_never_shrinks_and_nothing_is_billed_without_a_machine(run: Run, one_ms: int, other_ms: int) -> None:
    early_ms, late_ms = sorted((one_ms, other_ms))
    assert 0 <= billed_usd(run, early_ms) <= billed_usd(run, late_ms)
    assigned_ms = run.course.started_ms(RunStatus.STARTING)
    if assigned_ms is None or assigned_ms >= late_ms:
        assert billed_usd(run, late_ms) == 0
    if run.course.ended_by(early_ms):
        assert billed_usd(run, early_ms) == billed_usd(run, late_ms)
