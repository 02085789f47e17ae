"""The way of a run through its statuses, with exact instants."""

import pytest
from msgspec.structs import replace

from emulator.runs.command import Command, Order
from emulator.runs.lifecycle import ABORTED, CANCELLED, COMPLETED, ENDINGS, TIMED_OUT, Cause, End, Stage
from emulator.runs.run import Run
from emulator.scenario.model import TimeLimit
from emulator.scenario.ranges import DurationRange
from emulator.scenario.timeline import Ending, StageSpec
from emulator.statuses import ACTIVE, FOLLOWERS, TERMINAL, RunStatus
from tests.strategies import T0, abort, complete, force, lasting, run_of, scenario_of, stop

PENDING, STARTING, RUNNING = ACTIVE
FAILED, SYSTEM_FAILURE = RunStatus.FAILED, RunStatus.SYSTEM_FAILURE

# 4 s pending, 40 s starting, 240 s running, cut by nothing.
LONG = scenario_of(time_limit=TimeLimit.IGNORE)
# The same with a shutdown of 6 s.
SLOW_TO_STOP = replace(LONG, shutdown=lasting(6_000))
UNTIL_STOPPED = scenario_of(running_ms=None, ending=None, time_limit=TimeLimit.IGNORE, shutdown=lasting(3_000))
IN_STAGE_S = {PENDING: 1, STARTING: 10, RUNNING: 60}
"""A second of each stage, and the one at which it has not ended."""


def at(seconds: float) -> int:
    return T0 + round(seconds * 1000)


def end_of(run: Run) -> End:
    assert run.course.end is not None
    return run.course.end


def stages(run: Run) -> list[tuple[RunStatus, float, float | None]]:
    """Statuses with their beginnings and ends in seconds since the submission."""
    return [
        (
            stage.status,
            (stage.starts_ms - T0) / 1000,
            None if stage.ends_ms is None else (stage.ends_ms - T0) / 1000,
        )
        for stage in run.course.stages
    ]


# The table of endings.


def test_a_clean_run_is_completed_with_0() -> None:
    run = run_of(LONG)
    assert stages(run) == [(PENDING, 0, 4), (STARTING, 4, 44), (RUNNING, 44, 284)]
    assert run.course.end == End(at(284), Ending(RunStatus.COMPLETED, 0), Cause.SCRIPT)


def test_a_non_zero_exit_is_failed_with_that_code() -> None:
    ending = Ending(FAILED, 3, error="boom", result={"loss": 0.9})
    run = run_of(replace(LONG, ending=ending))
    assert run.course.end == End(at(284), ending, Cause.SCRIPT)


def test_a_timed_out_run_is_failed_with_124() -> None:
    run = run_of(scenario_of(), timeout_s=60)
    assert run.course.end == End(at(104), Ending(FAILED, 124), Cause.TIME_LIMIT)
    assert Ending(FAILED, 124) == TIMED_OUT


def test_an_aborted_run_is_aborted_with_137() -> None:
    assert run_of(LONG, abort(60)).course.end == End(at(60), Ending(RunStatus.ABORTED, 137), Cause.ABORT)


@pytest.mark.parametrize(("stop_status", "code"), [(RunStatus.COMPLETED, 0), (RunStatus.CANCELLED, 143)])
def test_a_stopped_run_is_completed_or_cancelled_as_its_scenario_says(stop_status: RunStatus, code: int) -> None:
    run = run_of(replace(SLOW_TO_STOP, stop_status=stop_status), stop(60))
    assert run.course.end == End(at(66), Ending(stop_status, code), Cause.STOP)


def test_an_infrastructure_failure_has_its_cause_and_no_code() -> None:
    ending = Ending(SYSTEM_FAILURE, None, error="GPU fell off the bus")
    run = run_of(replace(LONG, ending=ending))
    assert run.course.end == End(at(284), ending, Cause.SCRIPT)
    assert end_of(run).ending.return_code is None


def test_a_run_can_end_before_it_runs() -> None:
    ending = Ending(FAILED, 1, error="manifest unknown")
    run = run_of(scenario_of(until=STARTING, ending=ending))
    assert stages(run) == [(PENDING, 0, 4), (STARTING, 4, 44)]
    assert run.course.end == End(at(44), ending, Cause.SCRIPT)
    assert run.course.started_ms(RUNNING) is None


def test_every_terminal_status_has_a_plain_ending_of_its_own() -> None:
    assert {status: ending.status for status, ending in ENDINGS.items()} == {each: each for each in TERMINAL}
    assert {status: ending.return_code for status, ending in ENDINGS.items()} == {
        RunStatus.COMPLETED: 0,
        RunStatus.FAILED: 1,
        RunStatus.SYSTEM_FAILURE: None,
        RunStatus.CANCELLED: 143,
        RunStatus.ABORTED: 137,
    }


# Stages are half-open.


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (-0.001, PENDING),
        (0, PENDING),
        (3.999, PENDING),
        (4, STARTING),
        (43.999, STARTING),
        (44, RUNNING),
        (283.999, RUNNING),
        (284, RunStatus.COMPLETED),
        (10_000, RunStatus.COMPLETED),
    ],
)
def test_a_stage_holds_from_its_first_millisecond_to_the_one_before_the_next(seconds: float, status: RunStatus) -> None:
    assert run_of(LONG).course.status_at(at(seconds)) is status


def test_the_end_is_known_from_its_very_instant_on() -> None:
    course = run_of(LONG).course
    assert course.ended_by(at(284) - 1) is None
    assert course.ended_by(at(284)) == course.end


def test_transitions_are_those_up_to_now() -> None:
    course = run_of(LONG).course
    whole = [(PENDING, T0), (STARTING, at(4)), (RUNNING, at(44)), (RunStatus.COMPLETED, at(284))]
    assert course.transitions(T0 - 1) == []
    assert course.transitions(T0) == whole[:1]
    assert course.transitions(at(44) - 1) == whole[:2]
    assert course.transitions(at(44)) == whole[:3]
    assert course.transitions(at(284) - 1) == whole[:3]
    assert course.transitions(at(284)) == whole


def test_a_status_is_reached_at_its_instant_or_never() -> None:
    course = run_of(LONG).course
    assert course.reached_ms(RUNNING) == at(44)
    assert course.reached_ms(RunStatus.COMPLETED) == at(284)
    assert course.reached_ms(FAILED) is None
    assert course.started_ms(RunStatus.COMPLETED) is None
    assert course.stage(STARTING) == Stage(STARTING, at(4), at(44))


def test_a_stage_of_no_duration_is_passed_at_one_instant() -> None:
    run = run_of(scenario_of(0, 0, 1_000))
    assert run.course.transitions(T0) == [(PENDING, T0), (STARTING, T0), (RUNNING, T0)]
    assert run.course.status_at(T0) is RUNNING


# The time limit.


def test_the_time_limit_counts_from_the_start_of_running() -> None:
    run = run_of(scenario_of(pending_ms=3_600_000), timeout_s=60)
    assert end_of(run).at_ms == at(3_600 + 40 + 60)


@pytest.mark.parametrize(
    ("timeout_s", "ends_s", "cause"),
    [(239, 283, Cause.TIME_LIMIT), (240, 284, Cause.SCRIPT), (241, 284, Cause.SCRIPT)],
)
def test_an_end_scripted_for_the_instant_of_the_time_limit_wins(timeout_s: int, ends_s: int, cause: Cause) -> None:
    end = end_of(run_of(scenario_of(), timeout_s=timeout_s))
    assert (end.at_ms, end.cause) == (at(ends_s), cause)


def test_a_scenario_may_ignore_the_time_limit() -> None:
    assert end_of(run_of(LONG, timeout_s=1)).cause is Cause.SCRIPT


def test_a_time_limit_ends_a_run_without_an_end() -> None:
    run = run_of(replace(UNTIL_STOPPED, time_limit=TimeLimit.ENFORCE), timeout_s=60)
    assert run.course.end == End(at(104), TIMED_OUT, Cause.TIME_LIMIT)


def test_time_spent_pending_or_starting_never_runs_into_the_limit() -> None:
    waits = run_of(scenario_of(None, until=PENDING, ending=None), timeout_s=1)
    assert waits.course.end is None
    assert waits.course.status_at(at(10_000_000)) is PENDING


# Abort.


@pytest.mark.parametrize("status", ACTIVE)
def test_an_abort_acts_at_once_in_every_active_state(status: RunStatus) -> None:
    seconds = IN_STAGE_S[status]
    course = run_of(LONG, abort(seconds)).course
    assert course.status_at(at(seconds) - 1) is status
    assert course.status_at(at(seconds)) is RunStatus.ABORTED
    assert course.end == End(at(seconds), ABORTED, Cause.ABORT)
    later = ACTIVE[ACTIVE.index(status) + 1 :]
    assert [course.started_ms(each) for each in later] == [None] * len(later)


@pytest.mark.parametrize("seconds", [284, 284.001, 500])
@pytest.mark.parametrize("order", [Order.ABORT, Order.STOP, Order.COMPLETE])
def test_a_command_at_the_end_or_after_it_changes_nothing(order: Order, seconds: float) -> None:
    assert run_of(LONG, Command(order, at(seconds))).course == run_of(LONG).course


def test_an_abort_one_millisecond_before_the_end_still_counts() -> None:
    assert run_of(LONG, abort(283.999)).course.end == End(at(284) - 1, ABORTED, Cause.ABORT)


def test_an_abort_at_the_instant_at_which_a_stage_ends_finds_it_ended() -> None:
    run = run_of(LONG, abort(4))
    assert stages(run) == [(PENDING, 0, 4), (STARTING, 4, 4)]
    assert run.course.transitions(at(4)) == [(PENDING, T0), (STARTING, at(4)), (RunStatus.ABORTED, at(4))]


def test_an_abort_at_the_instant_of_submission_leaves_an_empty_pending() -> None:
    run = run_of(LONG, abort(0))
    assert stages(run) == [(PENDING, 0, 0)]
    assert run.course.status_at(T0) is RunStatus.ABORTED


# Stop.


@pytest.mark.parametrize("status", [PENDING, STARTING])
def test_a_stop_cancels_at_once_what_does_not_run_yet(status: RunStatus) -> None:
    seconds = IN_STAGE_S[status]
    run = run_of(replace(SLOW_TO_STOP, stop_status=RunStatus.COMPLETED), stop(seconds))
    assert run.course.end == End(at(seconds), CANCELLED, Cause.STOP)
    assert Ending(RunStatus.CANCELLED, 143) == CANCELLED


def test_a_stop_without_a_scripted_shutdown_ends_the_run_at_once() -> None:
    assert run_of(LONG, stop(60)).course.end == End(at(60), COMPLETED, Cause.STOP)


def test_a_stopped_run_runs_until_its_shutdown_is_over() -> None:
    course = run_of(SLOW_TO_STOP, stop(60)).course
    assert course.status_at(at(66) - 1) is RUNNING
    assert course.status_at(at(66)) is RunStatus.COMPLETED


@pytest.mark.parametrize(
    ("shutdown_s", "graceful_s", "takes_s"),
    [
        (9, None, 9),
        (10, None, 10),
        (11, None, 10),
        (600, None, 10),
        (4, 5, 4),
        (6, 5, 5),
        (600, 300, 300),
        (2, 1, 1),
    ],
)
def test_a_shutdown_takes_at_most_the_graceful_timeout_which_is_10_s_by_default(
    shutdown_s: int, graceful_s: int | None, takes_s: int
) -> None:
    scenario = scenario_of(running_ms=10**9, time_limit=TimeLimit.IGNORE, shutdown=lasting(shutdown_s * 1000))
    run = run_of(scenario, stop(60), graceful_timeout_s=graceful_s)
    assert run.course.end == End(at(60 + takes_s), COMPLETED, Cause.STOP)


def test_a_shutdown_drawn_from_a_range_is_the_seeds() -> None:
    scenario = replace(LONG, shutdown=DurationRange(1_000, 9_000))
    ends = {end_of(run_of(scenario, stop(60), seed=seed)).at_ms for seed in range(20)}
    assert len(ends) > 10
    assert at(61) <= min(ends) <= max(ends) <= at(69)
    assert end_of(run_of(scenario, stop(60), seed=3)) == end_of(run_of(scenario, stop(60), seed=3))


def test_a_second_stop_does_not_start_the_shutdown_anew() -> None:
    assert run_of(SLOW_TO_STOP, stop(60), stop(63)).course == run_of(SLOW_TO_STOP, stop(60)).course


def test_a_run_that_ends_by_itself_while_shutting_down_ends_as_scripted() -> None:
    end = end_of(run_of(SLOW_TO_STOP, stop(280)))
    assert (end.at_ms, end.ending, end.cause) == (at(284), Ending(RunStatus.COMPLETED, 0), Cause.SCRIPT)


@pytest.mark.parametrize(
    ("stopped_s", "cause"),
    [(97, Cause.STOP), (98, Cause.STOP), (98.001, Cause.TIME_LIMIT), (99, Cause.TIME_LIMIT)],
)
def test_a_shutdown_counts_against_the_time_limit(stopped_s: float, cause: Cause) -> None:
    run = run_of(replace(SLOW_TO_STOP, time_limit=TimeLimit.ENFORCE), stop(stopped_s), timeout_s=60)
    end = end_of(run)
    assert end.cause is cause
    assert end.at_ms == min(at(stopped_s + 6), at(104))
    assert run.course.stopping_ms == at(stopped_s)


def test_an_abort_cuts_a_shutdown_short() -> None:
    course = run_of(SLOW_TO_STOP, stop(60), abort(62)).course
    assert course.end is not None
    assert (course.end.at_ms, course.end.ending, course.end.cause) == (at(62), ABORTED, Cause.ABORT)


def test_an_abort_at_the_instant_at_which_the_shutdown_ends_comes_too_late() -> None:
    assert end_of(run_of(SLOW_TO_STOP, stop(60), abort(66))).cause is Cause.STOP
    assert end_of(run_of(SLOW_TO_STOP, stop(60), abort(65.999))).cause is Cause.ABORT


@pytest.mark.parametrize("last", [abort(62), complete(62), force(62, FAILED), None], ids=lambda c: c and c.order)
def test_an_end_during_a_shutdown_says_when_the_stop_came(last: Command | None) -> None:
    if last is None:
        run = run_of(SLOW_TO_STOP, stop(280))  # its script ends it at 284 s
        assert run.course.stopping_ms == at(280)
    else:
        assert run_of(SLOW_TO_STOP, stop(60), last).course.stopping_ms == at(60)


def test_a_stop_that_came_while_pending_is_not_taken_for_one_of_the_running_run() -> None:
    assert run_of(SLOW_TO_STOP, stop(1), stop(60)).course == run_of(SLOW_TO_STOP, stop(1)).course


def test_a_run_until_stopped_ends_by_a_stop_and_by_nothing_else() -> None:
    assert stages(run_of(UNTIL_STOPPED)) == [(PENDING, 0, 4), (STARTING, 4, 44), (RUNNING, 44, None)]
    assert run_of(UNTIL_STOPPED).course.end is None
    assert run_of(UNTIL_STOPPED).course.status_at(at(10**9)) is RUNNING
    assert run_of(UNTIL_STOPPED, stop(5_000)).course.end == End(at(5_003), COMPLETED, Cause.STOP)


# Complete.


@pytest.mark.parametrize("status", ACTIVE)
def test_an_active_run_is_completed_when_the_client_says_so(status: RunStatus) -> None:
    seconds = IN_STAGE_S[status]
    run = run_of(replace(LONG, stop_status=RunStatus.CANCELLED), complete(seconds))
    assert run.course.end == End(at(seconds), Ending(RunStatus.COMPLETED, 0), Cause.COMPLETE)


# Forced transitions.


@pytest.mark.parametrize(
    ("status", "to"),
    [(status, to) for status in ACTIVE for to in RunStatus if to in FOLLOWERS[status] and to.is_terminal],
)
def test_a_forced_end_is_the_plain_one_with_the_detail_as_its_cause(status: RunStatus, to: RunStatus) -> None:
    seconds = IN_STAGE_S[status]
    run = run_of(LONG, force(seconds, to, "because"))
    assert run.course.end == End(at(seconds), replace(ENDINGS[to], error="because"), Cause.TRANSITION)


@pytest.mark.parametrize(
    ("status", "to"), [(status, to) for status in ACTIVE for to in RunStatus if to not in FOLLOWERS[status]]
)
def test_a_forbidden_transition_changes_nothing(status: RunStatus, to: RunStatus) -> None:
    assert run_of(LONG, force(IN_STAGE_S[status], to)).course == run_of(LONG).course


@pytest.mark.parametrize("to", RunStatus)
def test_no_transition_follows_the_end(to: RunStatus) -> None:
    assert run_of(LONG, force(284, to)).course == run_of(LONG).course


def test_a_transition_without_a_target_changes_nothing() -> None:
    assert run_of(LONG, Command(Order.TRANSITION, at(1))).course == run_of(LONG).course


def test_forcing_the_next_stage_shifts_the_rest_of_the_script() -> None:
    started = run_of(LONG, force(1, STARTING))
    assert stages(started) == [(PENDING, 0, 1), (STARTING, 1, 41), (RUNNING, 41, 281)]
    running = run_of(LONG, force(10, RUNNING))
    assert stages(running) == [(PENDING, 0, 4), (STARTING, 4, 10), (RUNNING, 10, 250)]
    assert end_of(running) == End(at(250), Ending(RunStatus.COMPLETED, 0), Cause.SCRIPT)


def test_two_forced_transitions_follow_one_another() -> None:
    run = run_of(LONG, force(1, STARTING), force(1, RUNNING), force(2, FAILED))
    assert stages(run) == [(PENDING, 0, 1), (STARTING, 1, 1), (RUNNING, 1, 2)]
    assert end_of(run).at_ms == at(2)


def test_the_time_limit_counts_from_a_forced_start_of_running() -> None:
    run = run_of(scenario_of(), force(10, RUNNING), timeout_s=60)
    assert run.course.end == End(at(70), TIMED_OUT, Cause.TIME_LIMIT)


def test_a_run_forced_into_a_stage_that_its_script_lacks_stays_there() -> None:
    scenario = scenario_of(until=STARTING, ending=Ending(SYSTEM_FAILURE), time_limit=TimeLimit.IGNORE)
    forced = run_of(scenario, force(10, RUNNING))
    assert stages(forced) == [(PENDING, 0, 4), (STARTING, 4, 10), (RUNNING, 10, None)]
    assert forced.course.end is None
    assert run_of(scenario, force(10, RUNNING), stop(20)).course.end == End(at(20), COMPLETED, Cause.STOP)


def test_a_run_that_would_stay_pending_can_be_forced_on() -> None:
    scenario = replace(scenario_of(), timeline=(StageSpec(PENDING, None),), ending=None)
    run = run_of(scenario, force(100, STARTING))
    assert stages(run) == [(PENDING, 0, 100), (STARTING, 100, None)]


# What the statuses say of one another.


@pytest.mark.parametrize(
    ("status", "order"),
    [
        *((status, order) for status in ACTIVE for order in (Order.ABORT, Order.STOP)),
        (RUNNING, Order.COMPLETE),  # from pending and starting it goes beyond the lifecycle, as its call is meant to
    ],
)
def test_no_order_leads_where_the_lifecycle_does_not(status: RunStatus, order: Order) -> None:
    end = end_of(run_of(LONG, Command(order, at(IN_STAGE_S[status]))))
    assert end.ending.status in FOLLOWERS[status]


def test_nothing_follows_an_end_and_every_active_status_can_be_left() -> None:
    assert {status for status in RunStatus if not FOLLOWERS[status]} == set(TERMINAL)
    assert {*ACTIVE, *TERMINAL} == set(RunStatus)
    assert [status for status in RunStatus if status.is_terminal] == list(TERMINAL)


def test_a_command_of_an_earlier_instant_than_the_last_leaves_the_lifecycle_in_order() -> None:
    """A request takes its time before its body is read, so that a later one can be done before it."""
    run = run_of(SLOW_TO_STOP, force(30, RUNNING)).with_command(abort(10))
    instants = [at_ms for _, at_ms in run.course.transitions(at(1_000))]
    assert instants == sorted(instants)
