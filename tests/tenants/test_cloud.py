"""The emulated cloud: tenants, submissions, and that no tenant notices another."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.clock import START_MS, Clock, ClockMode, ClockSettings
from emulator.errors import Invalid, NotFound, RequestRefused, TooMany
from emulator.runs.output import written
from emulator.scenario.choice import QueueEntry, Rule
from emulator.scenario.library import Library
from emulator.scenario.model import Match, TimeLimit
from emulator.scenario.output import OutputEntry, Placeholder
from emulator.scenario.ranges import DurationRange, NumberRange
from emulator.scenario.timeline import StageSpec
from emulator.statuses import ACTIVE, RunStatus
from emulator.tenants.cloud import Cloud
from emulator.tenants.tenant import Tenant
from tests.strategies import PYTHON, T0, lasting, scenario_of

# Everything in it is drawn, so that a seed that leaks from one tenant to another shows.
DRAWN = scenario_of(
    name="completed",
    timeline=tuple(StageSpec(status, DurationRange(0, 20_000)) for status in ACTIVE),
    shutdown=DurationRange(0, 9_000),
    output=(OutputEntry((Placeholder("x"), "\n"), every_ms=1_000, fields={"x": NumberRange(0, 10**9)}),),
)
OOM = scenario_of(name="oom", match=Match(file_name="oom.py"))
HANG = scenario_of(name="hang", shutdown=lasting(3_000))
LIBRARY = Library((DRAWN, OOM, HANG))


def cloud_of(
    mode: ClockMode = ClockMode.MANUAL, *, seed: int = 0, step_ms: int = 5_000, library: Library = LIBRARY
) -> Cloud:
    clock = Clock(ClockSettings(mode, step_ms=step_ms, start_ms=START_MS))
    return Cloud(library, default_scenario="completed", seed=seed, clock=clock)


def ids(cloud: Cloud, token: str, count: int) -> list[str]:
    tenant = cloud.tenant(token)
    return [cloud.submit(tenant, PYTHON, T0).execution_id for _ in range(count)]


# Ids and seeds.


def test_ids_follow_from_seed_tenant_and_number_and_from_nothing_else() -> None:
    first = ids(cloud_of(), "lk_one", 5)
    busy = cloud_of(ClockMode.PER_REQUEST)
    ids(busy, "lk_two", 3)
    assert ids(busy, "lk_one", 5) == first


def test_ids_never_change_from_one_version_to_the_next() -> None:
    """Users pin them in their own tests."""
    run = cloud_of().submit(cloud_of().tenant("lk_one"), PYTHON, T0)
    assert run.execution_id == "29aa5301-6d6a-47c6-ba7a-cfe46fe48e47"
    assert run.seed == 3442109265601893


def test_ids_are_uuids_of_version_4_and_all_different() -> None:
    found = [
        each
        for seed in (0, 1)
        for cloud in [cloud_of(seed=seed)]
        for token in ("lk_one", "lk_two")
        for each in ids(cloud, token, 50)
    ]
    assert len(set(found)) == 200
    for each in found:
        parsed = uuid.UUID(each)
        assert str(parsed) == each
        assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)


def test_seeds_of_runs_differ_and_fit_a_signed_64_bit_integer() -> None:
    cloud = cloud_of()
    tenant = cloud.tenant("lk_one")
    seeds = [cloud.submit(tenant, PYTHON, T0).seed for _ in range(100)]
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)


# Submitting.


def test_a_submission_becomes_a_run_of_its_scenario() -> None:
    cloud = cloud_of()
    tenant = cloud.tenant("lk_one")
    run = cloud.submit(tenant, PYTHON, T0 + 7, named="hang", warnings=("body.x: unknown",))
    assert (run.submission, run.submitted_ms, run.warnings) == (PYTHON, T0 + 7, ("body.x: unknown",))
    assert (run.script.scenario, run.chosen_by.rule, run.script.seed) == (HANG, Rule.NAME, run.seed)
    assert tenant.get(run.execution_id) is run


def test_runs_of_one_scenario_share_what_is_the_same_for_all_of_them() -> None:
    """A server keeps 100,000 runs: what each of them has for itself is most of its memory."""
    cloud = cloud_of(library=Library((scenario_of(name="completed"),)))
    first, second = (cloud.submit(cloud.tenant("lk_one_of_them"), PYTHON, T0) for _ in range(2))
    assert first.seed != second.seed
    for one, other in (
        (first.script.stages, second.script.stages),
        (first.chosen_by, second.chosen_by),
        (first.picked, second.picked),
    ):
        assert one is other


def test_a_refused_submission_takes_no_number_and_makes_no_tenant() -> None:
    cloud = cloud_of()
    tenant = cloud.tenant("lk_one")
    with pytest.raises(Invalid):
        cloud.submit(tenant, PYTHON, T0, named="no such scenario")
    assert (tenant.submissions, tenant.run_count, cloud.tenants) == (0, 0, {})
    assert ids(cloud, "lk_one", 1) == ids(cloud_of(), "lk_one", 1)


def test_the_tenants_queue_comes_before_the_one_for_all() -> None:
    cloud = cloud_of()
    cloud.queue.add(QueueEntry(HANG, times=2))
    one = cloud.tenant("lk_one")
    one.queue.add(QueueEntry(OOM))
    names = [cloud.submit(one, PYTHON, T0).script.scenario.name for _ in range(2)]
    assert names == ["oom", "hang"]
    assert cloud.submit(cloud.tenant("lk_two"), PYTHON, T0).script.scenario.name == "hang"
    assert cloud.submit(one, PYTHON, T0).script.scenario.name == "completed"


def test_a_submission_whose_compose_file_cannot_be_read_fails_while_starting() -> None:
    cloud = cloud_of()
    run = cloud.submit(cloud.tenant("lk_one"), replace(PYTHON, compose="services: ["), T0)
    assert run.course.end is not None
    assert run.course.end.ending.status is RunStatus.FAILED
    assert run.course.started_ms(RunStatus.RUNNING) is None


def test_a_default_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(NotFound, match="there is no scenario `nope`"):
        Cloud(LIBRARY, default_scenario="nope", seed=0, clock=Clock())


# Tenants.


def test_a_tenant_comes_into_being_by_its_first_write() -> None:
    cloud = cloud_of()
    assert len(cloud.tenant("lk_one").queue.entries) == 0
    assert cloud.tenants == {}
    tenant = cloud.tenant("lk_one")
    cloud.submit(tenant, PYTHON, T0)
    assert cloud.tenant("lk_one") is tenant
    assert list(cloud.tenants.values()) == [tenant]


def test_a_tenant_is_known_by_the_hash_of_its_token_and_the_token_is_not_kept() -> None:
    tenant = cloud_of().tenant("lk_secret_token")
    assert len(tenant.key) == 64
    assert "secret" not in repr(vars(tenant))
    assert tenant.key == cloud_of(seed=9).tenant("lk_secret_token").key


def test_two_first_submissions_at_the_same_time_are_two_runs_of_one_tenant() -> None:
    """Each request opens its tenant before it has read its body, and the other may be done by then."""
    cloud = cloud_of()
    one, other = cloud.tenant("lk_one"), cloud.tenant("lk_one")
    first, second = cloud.submit(one, PYTHON, T0), cloud.submit(other, PYTHON, T0)
    assert first.execution_id != second.execution_id
    assert list(cloud.tenant("lk_one").newest_first()) == [second, first]


@pytest.fixture
def room_for_two(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setattr("emulator.tenants.cloud.MAX_TENANTS", 2)
    cloud = cloud_of()
    ids(cloud, "lk_one", 1)
    ids(cloud, "lk_two", 1)
    return cloud


def test_tenants_are_bounded_and_those_that_are_in_stay_in(room_for_two: Cloud) -> None:
    cloud = room_for_two
    third = cloud.tenant("lk_three")
    with pytest.raises(TooMany, match="this emulator keeps at most 2 tenants; reset it to begin anew"):
        cloud.settle(third)
    with pytest.raises(TooMany):
        cloud.submit(third, PYTHON, T0)
    assert (third.submissions, third.run_count, len(cloud.tenants)) == (0, 0, 2)
    assert len(ids(cloud, "lk_one", 2)) == 2
    cloud.settle(cloud.tenant("lk_two"))
    cloud.reset()
    assert len(ids(cloud, "lk_three", 1)) == 1


def test_a_submission_refused_for_want_of_room_leaves_the_queue_as_it_was(room_for_two: Cloud) -> None:
    cloud = room_for_two
    cloud.queue.add(QueueEntry(OOM))
    with pytest.raises(TooMany):
        cloud.submit(cloud.tenant("lk_three"), PYTHON, T0)
    assert cloud.queue.entries == (QueueEntry(OOM),)


def test_the_owner_of_a_run_is_found_whoever_asks() -> None:
    cloud = cloud_of()
    (one,), (two,) = ids(cloud, "lk_one", 1), ids(cloud, "lk_two", 1)
    assert cloud.owner_of(one) is cloud.tenant("lk_one")
    assert cloud.owner_of(two) is cloud.tenant("lk_two")
    assert cloud.owner_of("no such run") is None


def test_a_reset_forgets_every_tenant_and_sets_the_clock_back() -> None:
    cloud = cloud_of()
    old = cloud.tenant("lk_one")
    first = ids(cloud, "lk_one", 3)
    ids(cloud, "lk_two", 2)
    cloud.queue.add(QueueEntry(OOM))
    cloud.clock.set(now_ms=START_MS + 99)
    held = cloud.tenant("lk_one")
    assert cloud.reset() == (5, 2)
    assert (cloud.tenants, cloud.queue.entries, cloud.clock.now_ms()) == ({}, (), START_MS)
    assert held.run_count == old.run_count == 0
    assert cloud.reset() == (0, 0)
    assert ids(cloud, "lk_one", 3) == first


# Isolation.

TOKENS = ("lk_one", "lk_two")
Step = tuple[str, Any]
steps = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from((None, None, "oom", "hang", "nope"))),
    st.tuples(st.sampled_from(("look", "abort", "stop", "complete", "delete")), st.integers(0, 3)),
    st.tuples(st.just("force"), st.tuples(st.integers(0, 3), st.sampled_from(RunStatus))),
    st.tuples(st.just("queue"), st.tuples(st.sampled_from(("oom", "hang")), st.integers(1, 2))),
    st.tuples(st.just("advance"), st.integers(-1_000, 60_000)),
    st.tuples(st.just("clock"), st.sampled_from((ClockMode.MANUAL, ClockMode.PER_REQUEST))),
    st.tuples(st.just("step"), st.integers(1, 30_000)),
    st.tuples(st.just("reset"), st.none()),
    st.tuples(st.just("wait"), st.none()),
)


def outcome(act: Callable[[], object]) -> object:
    try:
        return act()
    except RequestRefused as refused:
        return type(refused).__name__, refused.detail


def view(tenant: Tenant, now_ms: int) -> object:
    """All that a tenant can see of itself."""
    return (
        now_ms,
        tenant.identity.slug,
        tenant.submissions,
        tenant.queue.entries,
        [run.execution_id for run in tenant.active(now_ms)],
        [
            (run.execution_id, run.seed, run.course.transitions(now_ms), written(run, now_ms), run.commands)
            for run in tenant.newest_first()
        ],
    )


def take(cloud: Cloud, token: str, step: Step) -> object:
    """One request of a tenant: what it does, and what the tenant sees afterwards."""
    tenant = cloud.tenant(token)
    verb, what = step
    now_ms = tenant.clock.observe()
    runs = [run.execution_id for run in tenant.newest_first()]

    def pick(number: int) -> str:
        return runs[number % len(runs)] if runs else "none"

    def act() -> object:
        match verb:
            case "submit":
                return cloud.submit(tenant, PYTHON, now_ms, named=what).execution_id
            case "look":
                return view(tenant, now_ms)
            case "abort" | "stop" | "complete" | "delete":
                done = getattr(tenant, verb)(pick(what), now_ms)
                return done and done.execution_id
            case "force":
                number, to = what
                return tenant.force(pick(number), to, None, now_ms).execution_id
            case "reset":
                return tenant.reset()
            case "wait":
                return tenant.clock.now_ms()
        cloud.settle(tenant)
        match verb:
            case "queue":
                name, times = what
                tenant.queue.add(QueueEntry(LIBRARY.get(name), times))
            case "advance":
                tenant.clock.advance_to(now_ms + what)
            case "clock":
                tenant.clock.set(mode=what)
            case "step":
                tenant.clock.set(step_ms=what)
        return None

    return outcome(act), view(tenant, tenant.clock.now_ms())


@given(
    st.sampled_from((ClockMode.MANUAL, ClockMode.PER_REQUEST)),
    st.lists(st.tuples(st.sampled_from(TOKENS), steps), max_size=25),
)
def test_a_tenant_gets_what_it_would_get_alone_on_the_server(mode: ClockMode, together: list[tuple[str, Step]]) -> None:
    shared = cloud_of(mode)
    got: dict[str, list[object]] = {token: [] for token in TOKENS}
    for token, step in together:
        got[token].append(take(shared, token, step))
    for token in TOKENS:
        alone = cloud_of(mode)
        assert [take(alone, token, step) for who, step in together if who == token] == got[token]


@given(st.lists(st.tuples(st.sampled_from(TOKENS), steps), max_size=25))
def test_no_tenant_finds_a_run_of_another(together: list[tuple[str, Step]]) -> None:
    cloud = cloud_of(ClockMode.PER_REQUEST)
    for token, step in together:
        take(cloud, token, step)
    one, two = map(cloud.tenant, TOKENS)
    assert not {run.execution_id for run in one.newest_first()} & {run.execution_id for run in two.newest_first()}
    for run in one.newest_first():
        assert two.find(run.execution_id) is None
        assert cloud.owner_of(run.execution_id) is one


def test_a_reset_with_a_seed_reaches_a_tenant_that_somebody_still_holds() -> None:
    cloud = cloud_of()
    held = cloud.tenant("lk_one")  # as a stream does
    cloud.settle(held)
    cloud.reset(seed=7)
    assert cloud.tenant("lk_one") is held
    new = cloud_of(seed=7).tenant("lk_one")
    assert held.identity == new.identity
    assert [each.id for each in held.environment.set({"A": True}, T0)] == [
        each.id for each in new.environment.set({"A": True}, T0)
    ]


def test_a_default_scenario_that_is_gone_stays_in_force_as_it_was() -> None:
    cloud = cloud_of()
    tenant = cloud.tenant("lk_tests_own_key")

    def taken(**wish: Any) -> str:
        return cloud.submit(tenant, replace(PYTHON, **wish), T0).script.scenario.name

    for scenarios in (OOM, HANG), (HANG,):
        cloud.library = Library(scenarios)
        assert taken(file_name="a.py") == "completed"
        assert taken(metadata={"emulator.scenario": "hang"}) == "hang"
    cloud.library = Library((replace(DRAWN, time_limit=TimeLimit.IGNORE),))
    assert cloud.submit(tenant, PYTHON, T0).script.scenario.time_limit is TimeLimit.IGNORE
