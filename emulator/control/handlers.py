"""The control API's own contract, and which function answers which of its operations."""

from __future__ import annotations

from functools import lru_cache

from starlette.responses import Response

from emulator.control import clock, coverage, faults, notebooks, requests, runs, scenarios, snapshot, telemetry
from emulator.resources import CONTROL_CONTRACT_FILE
from emulator.server.call import Call, Handler


@lru_cache(maxsize=1)
def _contract_text() -> bytes:
    return CONTROL_CONTRACT_FILE.read_bytes()


def get_control_contract(_call: Call) -> Response:
    return Response(_contract_text(), media_type="application/yaml")


_HANDLERS: tuple[Handler, ...] = (
    get_control_contract,
    clock.advance_clock,
    clock.get_clock,
    clock.get_health,
    clock.set_clock,
    coverage.get_coverage,
    faults.add_fault,
    faults.clear_faults,
    faults.delete_fault,
    faults.list_faults,
    notebooks.get_notebook_page,
    requests.clear_requests,
    requests.list_requests,
    runs.force_transition,
    runs.get_run,
    runs.get_run_metrics,
    runs.list_runs,
    runs.reset,
    scenarios.clear_queue,
    scenarios.delete_scenario,
    scenarios.enqueue_scenario,
    scenarios.get_queue,
    scenarios.get_scenario,
    scenarios.list_scenarios,
    scenarios.put_scenario,
    snapshot.get_snapshot,
    snapshot.put_snapshot,
    telemetry.get_dcgm_metrics,
)
HANDLERS: dict[str, Handler] = {handler.__name__: handler for handler in _HANDLERS}
