"""Control operations on faults: of the caller's tenant, or for everybody."""

from __future__ import annotations

from starlette.responses import Response

from emulator.control.problems import refused
from emulator.control.wire import fault_view
from emulator.faults.standing import Standings
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.tenants.identity import seed_of

_SHOWN_AS = "fault"


def list_faults(call: Call) -> Response:
    return json_response({"faults": [fault_view(standing) for standing in _faults(call)]})


def add_fault(call: Call) -> Response:
    """Put a fault in force from now on; its body is what a scenario's `faults` hold, in YAML or JSON."""
    from emulator.scenario.file.faults import read_fault  # late: brings the whole grammar of scenario files

    fault, problems = read_fault(call.body)
    if fault is None or problems:
        return refused(call, _SHOWN_AS, problems)
    if call.caller is None:
        now_ms, seed = call.cloud.clock.now_ms(), seed_of(call.cloud.seed, "faults")
    else:
        call.cloud.settle(call.caller)
        tenant = call.caller
        now_ms = tenant.clock.now_ms()
        origin = (call.cloud.seed, tenant.key) if tenant.seed is None else ("tenant", tenant.seed)
        seed = seed_of(*origin, "faults")
    return json_response(fault_view(_faults(call).add(fault, now_ms, seed)))


def clear_faults(call: Call) -> Response:
    return json_response({"status": "ok", "faults_removed": _faults(call).clear()})


def delete_fault(call: Call) -> Response:
    return json_response(fault_view(_faults(call).remove(call.values["fault_id"])))


def _faults(call: Call) -> Standings:
    return (call.caller or call.cloud).faults
