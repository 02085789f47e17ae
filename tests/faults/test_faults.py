"""Faults as values: which requests they meet, how often they strike, and that the same seed strikes the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.document import load_document
from emulator.contract.operations import operations
from emulator.errors import NotFound, TooMany
from emulator.faults.answers import READY_MADE, plain_answer
from emulator.faults.effect import (
    ERRORS,
    LOG_OPERATIONS,
    ON_BODIES,
    ON_LINES,
    ON_STREAMS,
    READY_MADE_NAMES,
    STREAM_OPERATIONS,
    Effect,
    concerns,
)
from emulator.faults.fault import Asked, Fault
from emulator.faults.latency import MAX_MS, LogNormal, Uniform
from emulator.faults.standing import MAX_FAULTS, Standing, Standings, strike
from emulator.resources import CONTRACT_FILE
from emulator.statuses import RunStatus

GET = Asked("get_execution", ("/api/v2/external/execution/1", "/api/v2/external/execution/{execution_id}"))
STREAM = Asked("stream_output", ("/api/v1/stream/1",), has_token=False)
RESET = Fault(effect=Effect.RESET)


def standing(fault: Fault, seed: int = 0, since_ms: int = 0) -> Standing:
    return Standing("fault-1", fault, since_ms, seed)


def hits(fault: Fault, *, seed: int = 0, requests: int = 20) -> list[bool]:
    """Which of so many requests are hit."""
    one = standing(fault, seed)
    return [strike([(one, 0)], GET) is not None for _ in range(requests)]


def test_the_operations_that_faults_know_are_in_the_contract() -> None:
    known = operations(load_document(CONTRACT_FILE))
    assert {name for name, each in known.items() if each.path.startswith("/api/v1/stream/")} == STREAM_OPERATIONS
    assert {name for name, each in known.items() if "/logs/" in each.path} == LOG_OPERATIONS


def test_the_effects_fall_into_kinds_that_do_not_overlap() -> None:
    kinds = [ERRORS, ON_BODIES, ON_STREAMS, ON_LINES, frozenset({Effect.EXPIRED_TOKEN, Effect.RESET})]
    assert sorted(effect for kind in kinds for effect in kind) == sorted(READY_MADE_NAMES)
    assert set(READY_MADE) == ERRORS | {Effect.EXPIRED_TOKEN}


@pytest.mark.parametrize(
    ("effect", "stream", "logs", "other"),
    [
        (Effect.UNAVAILABLE, True, True, True),
        (Effect.RESET, True, True, True),
        (Effect.LATENCY, True, True, True),
        (Effect.TRUNCATED, False, True, True),
        (Effect.STREAM_CUT, True, False, False),
        (Effect.STREAM_MALFORMED, True, False, False),
        (Effect.DUPLICATE_LINES, True, True, False),
    ],
)
def test_an_effect_concerns_only_what_can_go_bad_in_its_way(
    effect: Effect, stream: bool, logs: bool, other: bool
) -> None:
    names = ("stream_output_by_get", "get_user_logs", "get_execution")
    assert [concerns(effect, name) for name in names] == [stream, logs, other]


@pytest.mark.parametrize(
    ("fault", "met"),
    [
        (Fault(effect=Effect.RESET, operation="get_execution"), True),
        (Fault(effect=Effect.RESET, operation="get_*"), True),
        (Fault(effect=Effect.RESET, operation="get_execution_logs"), False),
        (Fault(effect=Effect.RESET, path="/api/v2/external/execution/*"), True),
        (Fault(effect=Effect.RESET, path="/api/v2/external/execution/{execution_id}"), False),
        (Fault(effect=Effect.RESET, path="/api/v2/external/logs/*"), False),
        (Fault(effect=Effect.RESET, streams=True), False),
        (Fault(effect=Effect.RESET, run_status=RunStatus.RUNNING), False),
        (Fault(effect=Effect.STREAM_CUT), False),
    ],
)
def test_a_fault_meets_the_requests_that_it_names(fault: Fault, met: bool) -> None:
    asked = Asked(GET.operation_id, GET.paths[:1])
    assert fault.meets(asked) is met


def test_a_path_may_be_written_as_the_contract_has_it() -> None:
    assert Fault(effect=Effect.RESET, path="/api/v2/external/execution/{execution_id}").meets(GET)


def test_a_fault_can_wait_for_a_status_of_the_run() -> None:
    fault = Fault(effect=Effect.RESET, run_status=RunStatus.RUNNING)
    statuses = (None, RunStatus.PENDING, RunStatus.RUNNING)
    assert [fault.meets(Asked("get_execution", (), run_status=status)) for status in statuses] == [False, False, True]


def test_a_token_expires_only_where_there_is_one() -> None:
    fault = Fault(effect=Effect.EXPIRED_TOKEN)
    assert (fault.meets(GET), fault.meets(STREAM)) == (True, False)


def test_times_and_skip_count_the_requests_that_are_met() -> None:
    assert hits(Fault(effect=Effect.RESET, skip=2, times=3), requests=7) == [False] * 2 + [True] * 3 + [False] * 2


def test_the_window_counts_from_when_the_fault_came_to_be() -> None:
    one = standing(Fault(effect=Effect.RESET, from_ms=10, until_ms=20), since_ms=1_000)
    assert [one.meets(GET, now_ms) for now_ms in (1_009, 1_010, 1_019, 1_020)] == [False, True, True, False]


def test_what_is_outside_the_window_is_not_counted() -> None:
    one = standing(Fault(effect=Effect.RESET, from_ms=10, skip=1))
    assert [strike([(one, now_ms)], GET) is not None for now_ms in (0, 5, 10, 11)] == [False, False, False, True]
    assert (one.tally.met, one.tally.hit, one.left) == (2, 1, None)


@given(st.integers(0, 2**53), st.floats(0, 1))
def test_the_same_seed_strikes_the_same_requests(seed: int, probability: float) -> None:
    fault = Fault(effect=Effect.RESET, probability=probability)
    assert hits(fault, seed=seed) == hits(fault, seed=seed)


@given(st.integers(0, 2**53))
def test_a_higher_probability_strikes_all_that_a_lower_one_does(seed: int) -> None:
    rare, often = (hits(Fault(effect=Effect.RESET, probability=each), seed=seed) for each in (0.2, 0.6))
    assert all(more for fewer, more in zip(rare, often, strict=True) if fewer)


def test_a_probability_is_met_over_many_requests_and_differs_between_seeds() -> None:
    fault = Fault(effect=Effect.RESET, probability=0.2)
    runs = [hits(fault, seed=seed, requests=5_000) for seed in (1, 2)]
    assert all(900 < sum(run) < 1_100 for run in runs)
    assert runs[0] != runs[1]


def test_latencies_add_up_and_the_first_effect_counts() -> None:
    late = standing(Fault(effect=Effect.LATENCY, latency=Uniform(200, 200)))
    first = standing(Fault(effect=Effect.UNAVAILABLE, answer=READY_MADE[Effect.UNAVAILABLE], latency=Uniform(50, 50)))
    second = standing(RESET)
    hit = strike([(each, 0) for each in (late, first, second)], GET)
    assert hit is not None
    assert (hit.fault, hit.latency_ms) == (first.fault, 250)
    assert hit.told == "fault-1: 200 ms late; fault-1: unavailable, answered 503, 50 ms late"
    assert [each.tally.hit for each in (late, first, second)] == [1, 1, 0]
    assert second.tally.met == 0


@given(st.floats(0, 1, exclude_max=True), st.integers(0, MAX_MS), st.integers(0, MAX_MS))
def test_latencies_stay_in_their_bounds(uniform: float, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert low <= Uniform(low, high).drawn_ms(uniform) <= high
    assert 0 <= LogNormal(low, high).drawn_ms(uniform) <= MAX_MS


def test_a_log_normal_latency_has_its_median_and_its_tail() -> None:
    latency = LogNormal(200, 2_000)
    drawn = sorted(latency.drawn_ms((n + 0.5) / 10_000) for n in range(10_000))
    assert drawn[5_000] == pytest.approx(200, abs=1)
    assert drawn[9_900] == pytest.approx(2_000, rel=0.02)
    assert LogNormal(0, 0).drawn_ms(0.5) == 0


def test_faults_are_named_in_their_order_and_bounded() -> None:
    armed: set[str] = set()
    faults = Standings("me", armed)
    names = [faults.add(RESET, 0, 0).name for _ in range(MAX_FAULTS)]
    assert (names[0], names[-1], armed) == ("fault-1", f"fault-{MAX_FAULTS}", {"me"})
    with pytest.raises(TooMany, match="1000 faults already"):
        faults.add(RESET, 0, 0)
    faults.remove("fault-1")
    with pytest.raises(NotFound, match="no fault `fault-1`"):
        faults.remove("fault-1")
    assert faults.add(RESET, 0, 0).name == f"fault-{MAX_FAULTS + 1}"
    assert (faults.clear(), armed) == (MAX_FAULTS, set())
    assert faults.add(RESET, 0, 0).name == f"fault-{MAX_FAULTS + 2}"
    faults.reset()
    assert faults.add(RESET, 0, 0).name == "fault-1"


def test_the_last_fault_that_goes_disarms() -> None:
    armed = {"somebody-else"}
    faults = Standings("me", armed)
    names = [faults.add(RESET, 0, 0).name for _ in range(2)]
    faults.remove(names[0])
    assert armed == {"me", "somebody-else"}
    faults.remove(names[1])
    assert armed == {"somebody-else"}


@pytest.mark.parametrize(
    ("status_code", "body"),
    [(418, b'{"detail": "I\'m a Teapot"}'), (599, b'{"detail": "Status 599"}'), (204, b""), (304, b"")],
)
def test_a_status_code_alone_makes_an_answer(status_code: int, body: bytes) -> None:
    assert plain_answer(status_code).body == body
