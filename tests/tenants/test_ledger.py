"""What a tenant's runs come to together."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.clock import Clock, ClockMode, ClockSettings
from emulator.errors import Conflict, NotFound
from emulator.runs.billing import billed_millionths, billed_usd
from emulator.runs.run import Run
from emulator.scenario.library import Library
from emulator.scenario.submission import Kind
from emulator.statuses import RunStatus
from emulator.tenants.cloud import Cloud
from emulator.tenants.tenant import Tenant
from tests.strategies import PYTHON, T0, lasting, runs, scenario_of

_SCENARIO = scenario_of(4_000, 10_000, 60_000, name="completed", shutdown=lasting(6_000))
_GPU_SELECTION = replace(PYTHON, kind=Kind.GPU_SELECTION, hardware="cpu")
_ORDERS = (Tenant.abort, Tenant.complete, Tenant.stop, Tenant.delete)
# How much later, what is done, and to which run; of these numbers each step uses what it needs.
_steps = st.lists(
    st.tuples(st.sampled_from((0, 500, 5_000, 30_000, 80_000)), st.integers(0, 9), st.integers(0, 40)), max_size=25
)


def new_tenant() -> tuple[Cloud, Tenant]:
    clock = Clock(ClockSettings(ClockMode.MANUAL))
    cloud = Cloud(Library((_SCENARIO,)), default_scenario="completed", seed=0, clock=clock)
    return cloud, cloud.tenant("lk_somebody")


def assert_adds_up(tenant: Tenant, now_ms: int) -> None:
    account, each = tenant.account(now_ms), list(tenant.newest_first())
    assert +account.counts == Counter(run.course.status_at(now_ms) for run in each)
    assert account.millionths == sum(billed_millionths(run, now_ms) for run in each)


@given(_steps)
def test_an_account_is_the_sum_of_all_runs_whatever_was_done_to_them(steps: list[tuple[int, int, int]]) -> None:
    cloud, tenant = new_tenant()
    now_ms = T0
    for later_ms, what, which in steps:
        now_ms += later_ms
        ids = [run.execution_id for run in tenant.newest_first()]
        if what < 3 or not ids:
            cloud.submit(tenant, _GPU_SELECTION if what == 0 else PYTHON, now_ms)
        elif what < 7:
            attempt(partial(_ORDERS[what - 3], tenant, ids[which % len(ids)], now_ms))
        elif what < 9:
            to = tuple(RunStatus)[which % len(RunStatus)]
            attempt(partial(tenant.force, ids[which % len(ids)], to, None, now_ms))
        else:
            assert_adds_up(tenant, now_ms)
    assert_adds_up(tenant, now_ms)
    assert_adds_up(tenant, now_ms + 10**6)


def attempt(act: Callable[[], object]) -> None:
    with suppress(Conflict, NotFound):
        act()


def test_a_tenant_that_is_reset_owes_nothing() -> None:
    cloud, tenant = new_tenant()
    cloud.submit(tenant, PYTHON, T0)
    assert tenant.account(T0 + 10**6).millionths > 0
    tenant.reset()
    assert_adds_up(tenant, T0)
    assert tenant.account(T0).millionths == 0


def test_a_run_that_is_over_is_added_up_once_and_no_more() -> None:
    cloud, tenant = new_tenant()
    for _ in range(3):
        cloud.submit(tenant, PYTHON, T0)
    first, later = tenant.account(T0 + 10**6), tenant.account(T0 + 10**7)
    assert first.counts == later.counts == {RunStatus.COMPLETED: 3}
    assert first.millionths == later.millionths


def test_many_small_amounts_add_up_exactly() -> None:
    cloud, tenant = new_tenant()
    for _ in range(1_000):
        cloud.submit(tenant, PYTHON, T0)
    (run, *_) = tenant.newest_first()
    now_ms = T0 + 10**6
    assert tenant.account(now_ms).millionths == 1_000 * billed_millionths(run, now_ms)


@given(runs(), st.integers(0, 10**9))
def test_millionths_are_the_same_amount(run: Run, later_ms: int) -> None:
    now_ms = T0 + later_ms
    assert billed_millionths(run, now_ms) / 1_000_000 == billed_usd(run, now_ms)
