"""Control operations on runs and on everything at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace
from starlette.responses import Response

from emulator.control.clock import first_clock
from emulator.control.wire import run_view
from emulator.errors import NotFound
from emulator.runs.run import Run
from emulator.server import metrics
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.statuses import RunStatus
from emulator.tenants.tenant import NO_SUCH_RUN, Tenant


def list_runs(call: Call) -> Response:
    wanted = call.values["status"]
    found = [
        (tenant, run)
        for tenant, run in _newest_first(call)
        if wanted is None or run.course.status_at(tenant.clock.now_ms()) in wanted
    ]
    page = islice(found, call.values["limit"])
    views = [run_view(tenant, run, tenant.clock.now_ms()) for tenant, run in page]
    return json_response({"runs": views, "total": len(found)})


def _newest_first(call: Call) -> Iterator[tuple[Tenant, Run]]:
    if call.caller is not None:
        return ((call.caller, run) for run in call.caller.newest_first())
    everyone = [(tenant, run) for tenant in call.cloud.tenants.values() for run in tenant.newest_first()]
    return iter(sorted(everyone, key=lambda pair: pair[1].submitted_ms, reverse=True))


def get_run(call: Call) -> Response:
    owner = _owner(call)
    return json_response(run_view(owner, owner.get(call.execution_id), owner.clock.now_ms()))


def force_transition(call: Call) -> Response:
    owner = _owner(call)
    now_ms = owner.clock.now_ms()
    run = owner.force(call.execution_id, RunStatus(call.body["to"]), call.body.get("detail"), now_ms)
    return json_response(run_view(owner, run, now_ms))


def _owner(call: Call) -> Tenant:
    owner = call.caller or call.cloud.owner_of(call.execution_id)
    if owner is None:
        raise NotFound(NO_SUCH_RUN)
    return owner


def get_run_metrics(call: Call) -> Response:
    owner = _owner(call)
    return metrics.get_execution_metrics(replace(call, caller=owner, now_ms=owner.clock.now_ms()))


def reset(call: Call) -> Response:
    cloud, tenant = call.cloud, call.caller
    wish = call.body or {}
    clock = first_clock(wish["clock"]) if "clock" in wish else None
    if tenant is None:
        runs, tenants = cloud.reset(clock=clock, seed=wish.get("seed"))
    else:
        runs, tenants = cloud.drop(tenant), 0
        if wish:
            cloud.settle(tenant)
            tenant.begin(clock=clock, seed=wish.get("seed"))
    return json_response({"status": "ok", "runs_removed": runs, "tenants_removed": tenants})
