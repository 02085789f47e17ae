"""What a snapshot holds, as values of the core: read whole before anything of it takes effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from emulator.clock import Clock, ClockSettings
from emulator.errors import Conflict
from emulator.faults.standing import Standing
from emulator.runs.run import Run
from emulator.scenario.choice import QueueEntry
from emulator.scenario.model import Scenario
from emulator.tenants.cloud import MAX_TENANTS, Cloud
from emulator.tenants.environment import EnvironmentVariable
from emulator.tenants.outbox import Notice
from emulator.tenants.tenant import Tenant
from emulator.times import LATEST_MS


class FaultsState(Struct, frozen=True):
    """Faults in force, and how many there ever were: their names go on from there."""

    standings: tuple[Standing, ...]
    count: int


class EnvironmentState(Struct, frozen=True):
    """Stored variables, and how many there ever were: their ids go on from there."""

    variables: tuple[EnvironmentVariable, ...]
    count: int


class TenantState(Struct, frozen=True):
    """One tenant. `clock` is None where it follows the server's, by `lead_ms`.

    `tallies` says of the faults of runs' scenarios how many requests each met and hit; `notices` what became of those
    callbacks of a run, by their place among them, that are over and done with. Runs that were `deleted` still owe some.
    """

    key: str
    clock: ClockSettings | None
    lead_ms: int
    seed: int | None
    submissions: int
    turns: Mapping[str, int]
    added: tuple[Scenario, ...]
    queue: tuple[QueueEntry, ...]
    faults: FaultsState
    environment: EnvironmentState
    runs: tuple[Run, ...]
    tallies: Mapping[str, Sequence[tuple[int, int]]]
    notices: Mapping[str, Mapping[int, Notice]]
    deleted: tuple[Run, ...] = ()


class ServerState(Struct, frozen=True):
    """Everything but the tenants, and those."""

    seed: int
    clock: ClockSettings
    default_scenario: str
    added: tuple[Scenario, ...]
    queue: tuple[QueueEntry, ...]
    faults: FaultsState
    tenants: tuple[TenantState, ...]


def restore_server(cloud: Cloud, state: ServerState) -> None:
    """Put `state` in place of all that `cloud` holds. Raises Conflict, and changes nothing, where it cannot be."""
    if len(state.tenants) > MAX_TENANTS:
        raise Conflict(f"the snapshot holds {len(state.tenants)} tenants, and {MAX_TENANTS} is the most")
    # At once, since all are composed anew whenever one is added. Of those with one name the last counts, in its place.
    added: dict[str, Scenario] = {}
    for scenario in state.added:
        added.pop(scenario.name, None)
        added[scenario.name] = scenario
    library = cloud.library.having_added(tuple(added.values()))
    if library.find(state.default_scenario) is None:
        raise Conflict(f"the snapshot's default scenario `{state.default_scenario[:100]}` does not exist here")
    _check_ids(state.tenants)
    cloud.reset(clock=state.clock, seed=state.seed)
    cloud.library = library
    cloud.default_name = state.default_scenario
    for entry in state.queue:
        cloud.queue.add(entry)
    cloud.faults.restore(state.faults.standings, state.faults.count)
    for tenant_state in state.tenants:
        _fill(cloud, cloud.tenant_of(tenant_state.key), tenant_state)


def restore_tenant(cloud: Cloud, tenant: Tenant, state: TenantState) -> None:
    """Put `state` in place of all that `tenant` has. Raises Conflict, and changes nothing, where it cannot be."""
    if state.key != tenant.key:
        raise Conflict(
            f"the snapshot is another tenant's (tenants.{state.key[:8]}…): restore it with that tenant's token,"
            f" since this one's is {tenant.key[:8]}…"
        )
    _check_ids((state,))
    for run in state.runs:
        owner = cloud.owner_of(run.execution_id)
        if owner is not None and owner is not tenant:
            raise Conflict(f"the run {run.execution_id} of the snapshot is there already, and is another tenant's")
    tenant.reset()
    _fill(cloud, tenant, state)


def _check_ids(tenants: Sequence[TenantState]) -> None:
    """Raises Conflict."""
    ids = [run.execution_id for tenant in tenants for run in (*tenant.runs, *tenant.deleted)]
    if len(set(ids)) < len(ids):
        raise Conflict("the snapshot has two runs with one id")


def _fill(cloud: Cloud, tenant: Tenant, state: TenantState) -> None:
    cloud.settle(tenant)
    _set_clock(tenant.clock, state)
    tenant.seed = state.seed
    tenant.added = state.added
    for entry in state.queue:
        tenant.queue.add(entry)
    tenant.faults.restore(state.faults.standings, state.faults.count)
    tenant.environment.restore(state.environment.variables, state.environment.count)
    for run in state.deleted:
        tenant.outbox.put(run)
    for run in state.runs:
        tenant.add(run)
    for execution_id, tallies in state.tallies.items():
        for standing, (met, hit) in zip(tenant.faults_of(tenant.get(execution_id)), tallies, strict=False):
            standing.tally.met, standing.tally.hit = met, hit
    for execution_id, notices in state.notices.items():
        tenant.outbox.settle(execution_id, notices)
    for run in state.deleted:
        tenant.outbox.forget(run)
    tenant.submissions = state.submissions  # runs that were deleted since count, too
    tenant.turns.clear()
    tenant.turns.update(state.turns)


def _set_clock(clock: Clock, state: TenantState) -> None:
    if state.clock is not None:
        clock.reset(state.clock)
    elif state.lead_ms:
        clock.advance_to(min(clock.now_ms() + state.lead_ms, LATEST_MS))
