"""One tenant: its runs, and what may be done to them when."""

import asyncio
from collections.abc import Callable

import pytest

from emulator.clock import START_MS, Clock, ClockMode, ClockSettings
from emulator.errors import Conflict, NotFound
from emulator.runs.command import Command, Order
from emulator.runs.run import Run
from emulator.scenario.choice import QueueEntry
from emulator.scenario.library import Library
from emulator.scenario.model import Scenario, TimeLimit
from emulator.scenario.timeline import Ending
from emulator.statuses import ACTIVE, RunStatus
from emulator.tenants.cloud import Cloud
from emulator.tenants.tenant import Tenant
from tests.strategies import PYTHON, T0, lasting, scenario_of

# 4 s pending, 40 s starting, 240 s running; a shutdown of 6 s.
SCENARIO = scenario_of(name="completed", time_limit=TimeLimit.IGNORE, shutdown=lasting(6_000))
END_MS = T0 + 284_000
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def new_tenant(scenario: Scenario = SCENARIO) -> tuple[Cloud, Tenant]:
    clock = Clock(ClockSettings(ClockMode.MANUAL))
    cloud = Cloud(Library((scenario,)), default_scenario=scenario.name, seed=0, clock=clock)
    return cloud, cloud.tenant("lk_somebody")


def submitted(now_ms: int = T0, scenario: Scenario = SCENARIO) -> tuple[Tenant, Run]:
    cloud, tenant = new_tenant(scenario)
    return tenant, cloud.submit(tenant, PYTHON, now_ms)


# Finding runs.


def test_a_run_is_found_by_its_id_and_by_no_other() -> None:
    tenant, run = submitted()
    assert tenant.get(run.execution_id) is tenant.find(run.execution_id) is run
    assert tenant.find(UNKNOWN) is None
    with pytest.raises(NotFound, match=r"\AExecution not found\Z"):
        tenant.get(UNKNOWN)


def test_runs_are_listed_newest_first() -> None:
    cloud, tenant = new_tenant()
    runs = [cloud.submit(tenant, PYTHON, T0 + n) for n in range(3)]
    assert list(tenant.newest_first()) == runs[::-1]
    assert tenant.run_count == 3


def test_a_command_keeps_a_run_in_its_place() -> None:
    cloud, tenant = new_tenant()
    ids = [cloud.submit(tenant, PYTHON, T0 + n).execution_id for n in range(3)]
    tenant.stop(ids[1], T0 + 60_000)
    assert [run.execution_id for run in tenant.newest_first()] == ids[::-1]
    assert [run.execution_id for run in tenant.active(T0 + 60_000)] == ids[::-1]


# Which are active.


def test_a_run_is_active_until_the_millisecond_of_its_end() -> None:
    tenant, run = submitted()
    assert tenant.active(T0) == [run]
    assert tenant.active(END_MS - 1) == [run]
    assert tenant.active(END_MS) == []
    assert tenant.active(END_MS + 1) == []


def test_a_run_that_is_ended_is_active_no_more() -> None:
    cloud, tenant = new_tenant()
    first, second = (cloud.submit(tenant, PYTHON, T0) for _ in range(2))
    tenant.abort(first.execution_id, T0 + 5)
    assert tenant.active(T0 + 5) == [second]


def test_a_stopped_run_is_active_until_it_has_shut_down() -> None:
    tenant, run = submitted()
    stopped = tenant.stop(run.execution_id, T0 + 60_000)
    assert tenant.active(T0 + 66_000 - 1) == [stopped]
    assert tenant.active(T0 + 66_000) == []


# Abort, complete, stop.


@pytest.mark.parametrize(
    ("act", "order"),
    [(Tenant.abort, Order.ABORT), (Tenant.complete, Order.COMPLETE), (Tenant.stop, Order.STOP)],
)
def test_an_order_is_kept_with_its_time(act: Callable[[Tenant, str, int], Run], order: Order) -> None:
    tenant, run = submitted()
    ordered = act(tenant, run.execution_id, T0 + 60_000)
    assert ordered.commands == (Command(order, T0 + 60_000),)
    assert tenant.get(run.execution_id) is ordered


@pytest.mark.parametrize("act", [Tenant.abort, Tenant.complete, Tenant.stop])
def test_no_order_reaches_a_run_that_is_not_the_tenants(act: Callable[[Tenant, str, int], Run]) -> None:
    cloud, tenant = new_tenant()
    foreign = cloud.submit(cloud.tenant("lk_somebody_else"), PYTHON, T0)
    for execution_id in (UNKNOWN, foreign.execution_id):
        with pytest.raises(NotFound, match=r"\AExecution not found\Z"):
            act(tenant, execution_id, T0)
        with pytest.raises(NotFound, match=r"\AExecution not found\Z"):
            tenant.delete(execution_id, T0)
        with pytest.raises(NotFound, match=r"\AExecution not found\Z"):
            tenant.force(execution_id, RunStatus.STARTING, None, T0)
    assert cloud.tenant("lk_somebody_else").get(foreign.execution_id) is foreign


@pytest.mark.parametrize("act", [Tenant.abort, Tenant.complete])
def test_a_finished_run_can_be_neither_aborted_nor_completed(act: Callable[[Tenant, str, int], Run]) -> None:
    tenant, run = submitted()
    with pytest.raises(Conflict, match=r"\AExecution is already completed\Z"):
        act(tenant, run.execution_id, END_MS)
    assert tenant.get(run.execution_id) is run
    assert act(tenant, run.execution_id, END_MS - 1).commands[0].at_ms == END_MS - 1


def test_a_finished_run_cannot_be_stopped_and_counts_as_not_there() -> None:
    tenant, run = submitted(scenario=scenario_of(ending=Ending(RunStatus.FAILED, 1)))
    with pytest.raises(NotFound, match=r"\AExecution is already failed\Z"):
        tenant.stop(run.execution_id, END_MS)
    assert tenant.get(run.execution_id) is run


def test_a_second_abort_finds_the_run_aborted() -> None:
    tenant, run = submitted()
    tenant.abort(run.execution_id, T0 + 5)
    with pytest.raises(Conflict, match=r"\AExecution is already aborted\Z"):
        tenant.abort(run.execution_id, T0 + 5)


def test_a_second_stop_during_the_shutdown_is_accepted_and_changes_nothing() -> None:
    tenant, run = submitted()
    first = tenant.stop(run.execution_id, T0 + 60_000)
    assert tenant.stop(run.execution_id, T0 + 63_000).course == first.course


# Forced transitions.


def test_a_transition_that_the_lifecycle_allows_is_taken() -> None:
    tenant, run = submitted()
    forced = tenant.force(run.execution_id, RunStatus.SYSTEM_FAILURE, "node lost", T0 + 1_000)
    assert forced.course.status_at(T0 + 1_000) is RunStatus.SYSTEM_FAILURE
    assert forced.course.end is not None
    assert forced.course.end.ending.error == "node lost"


@pytest.mark.parametrize(
    ("at_ms", "to", "message"),
    [
        (
            0,
            RunStatus.RUNNING,
            "a run that is pending cannot become running: it may become starting, system_failure, cancelled, aborted",
        ),
        (
            4_000,
            RunStatus.COMPLETED,
            "a run that is starting cannot become completed:"
            " it may become running, failed, system_failure, cancelled, aborted",
        ),
        (
            44_000,
            RunStatus.PENDING,
            "a run that is running cannot become pending:"
            " it may become completed, failed, system_failure, cancelled, aborted",
        ),
        (284_000, RunStatus.FAILED, "a run that is completed cannot become failed: it is over"),
    ],
)
def test_one_that_it_forbids_is_refused_with_those_that_it_allows(at_ms: int, to: RunStatus, message: str) -> None:
    tenant, run = submitted()
    with pytest.raises(Conflict) as refused:
        tenant.force(run.execution_id, to, None, T0 + at_ms)
    assert str(refused.value) == message
    assert tenant.get(run.execution_id) is run


# Delete.


@pytest.mark.parametrize(("at_ms", "status"), list(zip((0, 4_000, 44_000), ACTIVE, strict=True)))
def test_an_active_run_cannot_be_deleted(at_ms: int, status: RunStatus) -> None:
    tenant, run = submitted()
    with pytest.raises(Conflict) as refused:
        tenant.delete(run.execution_id, T0 + at_ms)
    assert str(refused.value) == f"Execution is {status}; abort it before deleting it"
    assert tenant.get(run.execution_id) is run


def test_a_run_can_be_deleted_from_the_instant_of_its_end_on() -> None:
    tenant, run = submitted()
    with pytest.raises(Conflict):
        tenant.delete(run.execution_id, END_MS - 1)
    tenant.delete(run.execution_id, END_MS)
    assert (tenant.find(run.execution_id), tenant.run_count, list(tenant.newest_first())) == (None, 0, [])
    assert tenant.active(END_MS) == []


def test_what_is_deleted_is_gone_for_every_order() -> None:
    tenant, run = submitted()
    tenant.abort(run.execution_id, T0)
    tenant.delete(run.execution_id, T0)
    for act in (Tenant.abort, Tenant.complete, Tenant.stop, Tenant.delete):
        with pytest.raises(NotFound, match=r"\AExecution not found\Z"):
            act(tenant, run.execution_id, T0)


def test_a_deleted_runs_number_is_not_given_again() -> None:
    cloud, tenant = new_tenant()
    first = cloud.submit(tenant, PYTHON, T0)
    tenant.abort(first.execution_id, T0)
    tenant.delete(first.execution_id, T0)
    assert cloud.submit(tenant, PYTHON, T0).execution_id != first.execution_id
    assert tenant.submissions == 2


# Waking and resetting.


@pytest.mark.parametrize(
    "act",
    [
        Tenant.abort,
        Tenant.complete,
        Tenant.stop,
        lambda tenant, run_id, now_ms: tenant.force(run_id, RunStatus.STARTING, None, now_ms),
        lambda tenant, _run_id, _now_ms: tenant.reset(),
    ],
    ids=["abort", "complete", "stop", "force", "reset"],
)
def test_who_waits_for_the_tenant_hears_of_what_is_done_to_its_runs(
    act: Callable[[Tenant, str, int], object],
) -> None:
    async def scene() -> bool:
        tenant, run = submitted()
        waiter = asyncio.create_task(tenant.clock.wait_until(None, at_most_s=5))
        await asyncio.sleep(0)
        act(tenant, run.execution_id, T0)
        return await waiter

    assert asyncio.run(scene()) is True


def test_a_reset_forgets_runs_queue_number_and_clock() -> None:
    cloud, tenant = new_tenant()
    first = cloud.submit(tenant, PYTHON, T0)
    cloud.submit(tenant, PYTHON, T0)
    tenant.queue.add(QueueEntry(SCENARIO))
    tenant.clock.set(mode=ClockMode.PER_REQUEST, now_ms=START_MS + 5)
    assert tenant.reset() == 2
    assert (tenant.run_count, tenant.submissions, tenant.active(T0), tenant.queue.entries) == (0, 0, [], ())
    assert (tenant.clock.follows, tenant.clock.now_ms()) == (True, START_MS)
    assert tenant.reset() == 0
    again = cloud.submit(tenant, PYTHON, T0)
    assert (again.execution_id, again.seed) == (first.execution_id, first.seed)
