"""Test data that schemathesis cannot come by: in the fuzzing phase every other call gets what it needs to succeed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import requests
import schemathesis

FIRST = {"Authorization": "Bearer lk_contract_tests_first"}
"""The first of identities.yaml."""

# Drawn at random, most scenarios do not exist, most statuses may not follow, and most instants have passed.
_BODIES: dict[str, dict[str, Any]] = {
    "/_emulator/clock": {"speed": 2},
    "/_emulator/clock/advance": {"by": "1s"},
    "/_emulator/queue": {"scenario": "oom"},
    "/_emulator/scenarios/{name}": {"timeline": [{"running": "2s"}, "completed"]},
    "/_emulator/runs/{execution_id}/transition": {"to": "aborted"},
}
# A followed stream moves the clock to the end of its run, and with it most others are over or deleted.
_ACTIVE = ("/abort/", "/complete/", "/stop/", "/metrics")
_calls: Counter[str] = Counter()


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext,
    case: schemathesis.Case[Any],
    kwargs: dict[str, Any],
) -> None:
    path = case.operation.path
    run_id = None
    if path.startswith("/_emulator/runs"):
        # The control API starts no run, and its reset, which is tested as well, takes them all.
        run_id = _start(case, FIRST | {"X-Emulator-Scenario": "notebook"})
    if case.meta is None or case.meta.phase.name != "fuzzing" or not case.meta.generation.mode.is_positive:
        return
    _calls[case.operation.label] += 1
    if _calls[case.operation.label] % 2 == 0:
        return
    if path in _BODIES and isinstance(case.body, dict):
        case.body = dict(_BODIES[path])
    if case.operation.method == "put" and path == "/_emulator/scenarios/{name}":
        case.path_parameters["name"] = "made-by-the-tests"
    if any(word in path for word in _ACTIVE):
        run_id = _start(case, FIRST)
    if case.operation.method == "delete" and "{execution_id}" in path:
        run_id = _start(case, FIRST)
        _post(case, f"/workloads/abort/{run_id}", None, FIRST)
    if run_id is not None and "{execution_id}" in path:
        case.path_parameters["execution_id"] = run_id
    if path.endswith("/metrics"):
        # Of two instants drawn at random, most are years apart, or the wrong way round.
        case.query.pop("start", None)
        case.query.pop("end", None)


def _start(case: schemathesis.Case[Any], headers: dict[str, str]) -> str:
    return str(_post(case, "/execution/streaming/start", {"code": "pass"}, headers)["execution_id"])


def _post(case: schemathesis.Case[Any], path: str, body: dict[str, str] | None, headers: dict[str, str]) -> Any:
    url = f"{case.operation.base_url}/api/v2/external{path}"
    answer = requests.post(url, json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.json()
