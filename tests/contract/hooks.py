"""Test data that schemathesis cannot come by: runs that are there, and not over, when a call is about them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import requests
import schemathesis

FIRST = {"Authorization": "Bearer lk_contract_tests_first"}
"""The first of identities.yaml."""

_ENDINGS = ("/abort/", "/complete/", "/stop/")
_calls: Counter[str] = Counter()


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext,
    case: schemathesis.Case[Any],
    kwargs: dict[str, Any],
) -> None:
    path = case.operation.path
    if path.startswith("/_emulator/runs"):
        # The control API starts no run, and its reset, which is tested as well, takes them all.
        _start(case, FIRST | {"X-Emulator-Scenario": "notebook"})
    elif any(word in path for word in _ENDINGS) and case.meta and case.meta.phase.name != "stateful":
        # A followed stream moves the clock to the end of its run, and with it most others are over. Every other
        # call that ends a run gets a new one; in the stateful phase links from the start calls see to it.
        _calls[path] += 1
        if _calls[path] % 2:
            case.path_parameters["execution_id"] = _start(case, FIRST)


def _start(case: schemathesis.Case[Any], headers: dict[str, str]) -> str:
    url = f"{case.operation.base_url}/api/v2/external/execution/streaming/start"
    answer = requests.post(url, json={"code": "pass"}, headers=headers, timeout=10)
    answer.raise_for_status()
    return str(answer.json()["execution_id"])
