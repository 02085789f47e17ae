"""What schemathesis cannot come by itself: data that lets calls succeed, and checks of what no schema says.

In the fuzzing phase every other call gets what it needs to succeed.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import requests
import schemathesis
from schemathesis.core.transport import Response

from tests.contract import consistency

Case: TypeAlias = "schemathesis.Case[Any]"

FIRST = {"Authorization": "Bearer lk_contract_tests_first"}
SECOND = {"Authorization": "Bearer lk_contract_tests_second"}
"""Those of identities.yaml."""

# Drawn at random, most scenarios do not exist, most statuses may not follow, and most instants have passed.
_BODIES: dict[str, dict[str, Any]] = {
    "/_emulator/clock": {"speed": 2},
    "/_emulator/clock/advance": {"by": "1s"},
    "/_emulator/queue": {"scenario": "oom"},
    "/_emulator/faults": {"fault": "unavailable", "times": 2},
    "/_emulator/scenarios/{name}": {"timeline": [{"running": "2s"}, "completed"]},
    "/_emulator/runs/{execution_id}/transition": {"to": "aborted"},
}
# A followed stream moves the clock to the end of its run, and with it most others are over or deleted.
_ACTIVE = ("/abort/", "/complete/", "/stop/", "/metrics")
_calls: Counter[str] = Counter()


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext,
    case: Case,
    kwargs: dict[str, Any],
) -> None:
    path = case.operation.path
    is_positive = case.meta is None or case.meta.generation.mode.is_positive
    if path == "/_emulator/faults" and isinstance(case.body, dict) and is_positive:
        # In force at once, it would hit what the tests themselves ask of the emulated service.
        case.body = {name: value for name, value in case.body.items() if name != "until"} | {"from": "3650d"}
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
    if path.endswith("/gpu_selection/{execution_id}/status"):
        # The ids that other answers give are mostly those of plain runs.
        run_id = _start(case, FIRST, "gpu_selection")
    if any(word in path for word in _ACTIVE):
        run_id = _start(case, FIRST)
    if case.operation.method == "delete" and "{execution_id}" in path:
        run_id = _start(case, FIRST)
        _post(case, f"/workloads/abort/{run_id}", None, FIRST)
    if path.startswith("/_emulator/notebooks"):
        run_id = _launch(case, FIRST)
    if path.endswith("/{env_var_id}"):
        stored = _post(case, "/environment-variables/", {"name": "MADE_BY_THE_TESTS", "value": "x"}, FIRST)
        case.path_parameters["env_var_id"] = stored["environment_variables"][0]["id"]
    if run_id is not None and "{execution_id}" in path:
        case.path_parameters["execution_id"] = run_id
    if path.endswith("/metrics"):
        # Of two instants drawn at random, most are years apart, or the wrong way round.
        case.query.pop("start", None)
        case.query.pop("end", None)


def _start(case: Case, headers: dict[str, str], kind: str = "streaming") -> str:
    return str(_post(case, f"/execution/{kind}/start", {"code": "pass"}, headers)["execution_id"])


def _launch(case: Case, headers: dict[str, str]) -> str:
    """A notebook that runs: it cannot be made to by the calls of the contract that is tested."""
    body = {"docker_image_ref": "jupyter/base-notebook", "job_type": "customer_notebook"}
    # Under a clock that another call has set to run a million times as fast it would be over at once.
    requests.patch(f"{case.operation.base_url}/_emulator/clock", json={"mode": "manual"}, headers=headers, timeout=10)
    run_id = str(_post(case, "/execution/image/start", body, headers)["execution_id"])
    for status in ("starting", "running"):
        url = f"{case.operation.base_url}/_emulator/runs/{run_id}/transition"
        requests.post(url, json={"to": status}, headers=headers, timeout=10)  # refused where it is further already
    return run_id


def _post(case: Case, path: str, body: dict[str, str] | None, headers: dict[str, str]) -> Any:
    url = f"{case.operation.base_url}/api/v2/external{path}"
    answer = requests.post(url, json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.json()


# What no schema says, as checks beside schemathesis's own: tests/contract/consistency.py has the rules.

_life = consistency.Life()
_asked: Counter[str] = Counter()


@schemathesis.check
def statuses_move_along_the_lifecycle(_context: Any, response: Response, case: Case) -> None:
    if case.operation.path == "/_emulator/reset" and response.status_code == 200:
        _life.forget()  # ids are counted from the start again
    # A GPU selection has words of its own for where it stands.
    if response.status_code == 200 and "gpu_selection" not in case.operation.path and _is_json(response):
        for execution_id, status in consistency.statuses_in(response.json()):
            _fail_on(_life.missteps(execution_id, status))
        _asked["statuses"] = _life.compared


@schemathesis.check
def instants_are_ordered(_context: Any, response: Response, case: Case) -> None:
    if response.status_code != 200 or not _is_json(response):
        return
    body = response.json()
    if case.operation.method == "get" and case.operation.path.endswith("/execution/{execution_id}"):
        if "logs" not in body:
            _asked["records"] += 1
            _fail_on(consistency.disorder(body))
    elif case.operation.path.endswith("/timing"):
        _asked["timings"] += 1
        _fail_on(consistency.out_of_time(body["timing"]))


@schemathesis.check
def metric_points_are_in_their_window(_context: Any, response: Response, case: Case) -> None:
    if response.status_code == 200 and case.operation.path.endswith("execution/{execution_id}/metrics"):
        _asked["metrics"] += 1
        asked = dict(parse_qsl(urlsplit(str(response.request.url)).query))
        _fail_on(consistency.stray_points(response.json(), asked))


@schemathesis.check
def stream_record_and_logs_agree(_context: Any, response: Response, case: Case) -> None:
    if response.status_code != 200 or not case.operation.path.startswith("/api/v1/stream/"):
        return
    run = str(response.request.url).partition("?")[0].rpartition("/")[2]
    for owner in (FIRST, SECOND):  # the stream wants no token, the others do
        record = _get(case, f"/execution/{run}", owner)
        if record is not None:
            logs = _get(case, f"/logs/execution/{run}?limit=10000&hours=168", owner)
            assert logs is not None, f"there is a record of {run}, and there are no logs"
            _asked["streams"] += 1
            _fail_on(consistency.disagreement(response.text, record, logs))
            return
    raise AssertionError(f"the stream of {run} is served, and none of its owners has a record of it")


def _is_json(response: Response) -> bool:
    return "application/json" in response.headers.get("content-type", [""])[0]


def _get(case: Case, path: str, headers: dict[str, str]) -> Any:
    answer = requests.get(f"{case.operation.base_url}/api/v2/external{path}", headers=headers, timeout=10)
    if answer.status_code == 404:
        return None
    answer.raise_for_status()
    return answer.json()


def _fail_on(problems: Iterable[str]) -> None:
    found = list(problems)
    assert not found, "; ".join(found)


@atexit.register
def _tell_what_was_asked() -> None:
    """A check that had nothing to look at found nothing: the test that runs us wants to know."""
    if (place := os.environ.get("CONTRACT_CHECKS_TOLD")) is not None:
        Path(place).write_text(json.dumps(_asked), encoding="utf-8")
