"""Operations of the tag `workloads`: the caller's runs as a list, and the two ways of ending one early."""

from __future__ import annotations

from starlette.responses import Response

from emulator.server import wire
from emulator.server.call import Call
from emulator.server.responses import json_response


def list_workloads(call: Call) -> Response:
    wanted = call.values["status"]
    if wanted is None:
        runs = call.tenant.active(call.now_ms)
    else:
        runs = [run for run in call.tenant.newest_first() if run.course.status_at(call.now_ms) in wanted]
    return json_response([wire.workload(run, call.now_ms) for run in runs])


def abort_workload(call: Call) -> Response:
    run = call.tenant.abort(call.execution_id, call.now_ms)
    return json_response(wire.ended(run, call.now_ms, "Execution aborted"))


def stop_workload(call: Call) -> Response:
    run = call.tenant.stop(call.execution_id, call.now_ms)
    over = run.course.ended_by(call.now_ms)
    return json_response(wire.ended(run, call.now_ms, "Execution stopped" if over else "Execution is stopping"))
