"""A request for every operation and every status code that its contract documents for it.

Most follow from the contract: bodies are its examples, and the same few ways of asking wrongly work everywhere. What
only one operation refuses is written down below.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import httpx2

from emulator.contract.document import load_document
from emulator.contract.operations import Operation, operations
from emulator.contract.parameters import Location
from emulator.resources import CONTRACT_FILE, CONTROL_CONTRACT_FILE
from emulator.server.settings import MAX_BODY_BYTES
from emulator.tenants.identity import key_of

BASE = "/api/v2/external"
KEY = "lk_takes_the_tour"
ONE_KEY_TOO_MANY = "lk_one_key_too_many"
TRAINING = """
import torch
model = torch.nn.Linear(512, 512).cuda()
optimizer = torch.optim.AdamW(model.parameters())
for _ in range(100):
    loss = model(torch.randn(64, 512, device="cuda")).square().mean()
    loss.backward()
    optimizer.step()
"""
JSON = {"Content-Type": "application/json"}
BACKWARDS = {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
PAST = {"now": "2020-01-01T00:00:00Z"}
TOO_LATE = {"clock": {"mode": "manual", "now": "2200-01-01T00:00:00Z"}}


class Send(Protocol):
    def __call__(
        self, method: str, url: str, *, headers: dict[str, str], params: dict[str, Any], content: bytes | None
    ) -> httpx2.Response: ...


@dataclass
class Asking:
    """One request in the making."""

    operation: Operation
    in_path: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None

    def says(self, body: object) -> None:
        self.content = json.dumps(body).encode()

    def sent(self, send: Send) -> httpx2.Response:
        path = self.operation.path.format_map(self.in_path)
        return send(self.operation.method, path, headers=self.headers, params=self.query, content=self.content)


@cache
def documented(contract: str) -> dict[str, Operation]:
    """The operations of `service` or `control`."""
    return operations(load_document({"service": CONTRACT_FILE, "control": CONTROL_CONTRACT_FILE}[contract]))


def stops(contract: str) -> Iterator[tuple[Operation, int]]:
    """Every operation with every status code that is documented for it."""
    for operation in documented(contract).values():
        for status_code in operation.node["responses"]:
            yield operation, int(status_code)


class Tour:
    """Asks for answers. `send` reaches the emulated service, `control` the emulator under a manual clock."""

    def __init__(self, send: Send, control: Send) -> None:
        self._send = send
        self._control = control

    def ask(self, operation: Operation, status_code: int) -> httpx2.Response:
        """The answer to a request that should be answered so. Raises LookupError where no such request is known."""
        asking = self._well_formed(operation)
        change = ODD.get((operation.operation_id, status_code)) or WAYS.get(status_code)
        if status_code != 200:
            if change is None:
                raise LookupError(f"{operation.operation_id} documents {status_code}: how is it come by?")
            change(self, asking)
        elif operation.operation_id in ODD_SUCCESSES:
            ODD_SUCCESSES[operation.operation_id](self, asking)
        return asking.sent(self._control if operation.path.startswith("/_emulator/") else self._send)

    def _well_formed(self, operation: Operation) -> Asking:
        """A request that succeeds, for nearly every operation."""
        asking = Asking(operation, headers={"Authorization": f"Bearer {KEY}"})
        for parameter in operation.parameters:
            if parameter.location is Location.PATH:
                asking.in_path[parameter.name] = self.active() if parameter.name == "execution_id" else "completed"
        if operation.operation_id == "put_scenario":
            asking.in_path["name"] = "toured"  # no file gives that one
        if operation.body is not None:
            media_type, content = next(iter(operation.node["requestBody"]["content"].items()))
            example = content.get("example") or next(iter(content["examples"].values()))["value"]
            asking.says(example)
            asking.headers["Content-Type"] = media_type
        return asking

    # Runs to ask about.

    def active(self, path: str = "/execution/streaming/start", **body: object) -> str:
        answer = self._told("POST", BASE + path, {"code": "pass"} | body)
        return str(answer["execution_id"])

    def finished(self) -> str:
        execution_id = self.active()
        self._told("POST", f"{BASE}/workloads/abort/{execution_id}", None)
        return execution_id

    def notebook(self) -> str:
        job = {"docker_image_ref": "jupyter/base-notebook", "job_type": "customer_notebook"}
        return self.active("/execution/image/start", metadata={"emulator.scenario": "notebook"}, **job)

    def running_notebook(self) -> str:
        execution_id = self.notebook()
        self._told("POST", "/_emulator/clock/advance", {"execution_id": execution_id, "until": "running"})
        return execution_id

    def ended_notebook(self) -> str:
        execution_id = self.notebook()
        self._told("POST", f"{BASE}/workloads/abort/{execution_id}", None)
        return execution_id

    def variable(self) -> str:
        stored = self._told("POST", f"{BASE}/environment-variables/", [{"name": "HF_TOKEN", "value": "secret"}])
        return str(stored["environment_variables"][0]["id"])

    def added_scenario(self) -> str:
        self._told("PUT", "/_emulator/scenarios/toured", {"timeline": [{"running": "2s"}, "completed"]})
        return "toured"

    def fault(self) -> str:
        unfelt = {"path": "/api/v2/external/nowhere", "fault": "unavailable"}
        return str(self._told("POST", "/_emulator/faults", unfelt)["id"])

    def snapshot(self) -> dict[str, Any]:
        """One of a tenant without runs, so that another may have it."""
        self._told("POST", "/_emulator/reset", {})
        self.variable()
        taken: dict[str, Any] = self._told("GET", "/_emulator/snapshot", None)
        return taken

    def _told(self, method: str, path: str, body: object) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = JSON | {"Authorization": f"Bearer {KEY}"}
        answer = self._control(method, path, headers=headers, params={}, content=content)
        assert answer.status_code == 200, answer.text
        return answer.json()


Change = Callable[[Tour, Asking], object]


def _path(**made_by: Callable[[Tour], str]) -> Change:
    return lambda tour, asking: asking.in_path.update({name: made(tour) for name, made in made_by.items()})


def _says(body: object) -> Change:
    return lambda _tour, asking: asking.says(body)


def _asks(query: dict[str, Any]) -> Change:
    return lambda _tour, asking: asking.query.update(query)


def _malformed(_tour: Tour, asking: Asking) -> None:
    if asking.operation.body is not None:
        asking.content = b'{"not": '
    else:
        name = next(name for name in ("limit", "step", "status", "host_label") if name in asking.operation.query_names)
        asking.query[name] = "\x00"


def _restores(tour: Tour, asking: Asking) -> None:
    asking.says(tour.snapshot())


def _restores_for_somebody_new(tour: Tour, asking: Asking) -> None:
    taken = tour.snapshot()
    (state,) = taken["tenants"].values()
    asking.says(taken | {"tenants": {key_of(ONE_KEY_TOO_MANY): state}})  # somebody else's would be refused as such
    _as_somebody_new(tour, asking)


def _empty(_tour: Tour, asking: Asking) -> None:
    asking.content = b""


def _as_somebody_new(tour: Tour, asking: Asking) -> None:
    tour.active()  # a reset forgets who has nothing
    asking.headers["Authorization"] = f"Bearer {ONE_KEY_TOO_MANY}"


WAYS: dict[int, Change] = {
    401: lambda _tour, asking: asking.headers.update(Authorization="Bearer malformed"),
    403: lambda _tour, asking: asking.headers.update({"X-Org-Slug": "somebody-elses"}),
    404: lambda _tour, asking: asking.in_path.update(dict.fromkeys(asking.in_path, "unknown")),
    413: lambda _tour, asking: setattr(asking, "content", b" " * (MAX_BODY_BYTES + 1)),
    415: lambda _tour, asking: asking.headers.update({"Content-Type": "image/png"}),
    422: _malformed,
    429: _as_somebody_new,
}
"""How to be answered so by any operation that documents it. 429 wants a server that holds as many tenants as it may."""

ODD: dict[tuple[str, int], Change] = {
    ("get_execution_metrics", 400): _asks(BACKWARDS),
    ("get_run_metrics", 400): _asks(BACKWARDS),
    ("set_environment_variables", 400): _says([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
    ("put_scenario", 400): _says({"timeline": "none"}),
    ("add_fault", 400): _says({"fault": "unavailible"}),
    ("abort_workload", 409): _path(execution_id=Tour.finished),
    ("abort_streaming_execution", 409): _path(execution_id=Tour.finished),
    ("abort_image_execution", 409): _path(execution_id=Tour.finished),
    ("complete_streaming_execution", 409): _path(execution_id=Tour.finished),
    ("delete_execution", 409): _path(execution_id=Tour.active),
    # Malformed text is told as a scenario file's mistakes are, with 400.
    ("put_scenario", 422): _empty,
    ("add_fault", 422): _empty,
    ("set_clock", 409): _says(PAST),
    ("advance_clock", 409): _says({"to": PAST["now"]}),
    ("advance_clock", 404): _says({"execution_id": "3f0e9c52-7c1b-5d0a-9a44-6f2b8d1e7c30", "until": "terminal"}),
    ("put_scenario", 409): _path(name=lambda _: "completed"),
    ("delete_scenario", 409): _path(name=lambda _: "completed"),
    ("list_requests", 404): _asks({"operation_id": "get_exec"}),
    ("enqueue_scenario", 404): _says({"scenario": "unknown"}),
    ("force_transition", 409): _path(execution_id=Tour.finished),
    ("get_notebook_page", 409): _path(execution_id=Tour.notebook),
    ("get_notebook_page", 410): _path(execution_id=Tour.ended_notebook),
    ("put_snapshot", 409): lambda _tour, _asking: None,  # the example is a whole server's, and is sent with a token
    ("put_snapshot", 429): _restores_for_somebody_new,
    ("reset", 409): _says(TOO_LATE),
}

ODD_SUCCESSES: dict[str, Change] = {
    "delete_execution": _path(execution_id=Tour.finished),
    "stream_output": _path(execution_id=Tour.finished),
    "stream_output_by_get": _path(execution_id=Tour.finished),
    "get_gpu_selection_status": _path(
        execution_id=lambda tour: tour.active("/execution/gpu_selection/start", code=TRAINING)
    ),
    "delete_environment_variable": _path(env_var_id=Tour.variable),
    "advance_clock": _says({"by": "1s"}),
    "delete_scenario": _path(name=Tour.added_scenario),
    "delete_fault": _path(fault_id=Tour.fault),
    "add_fault": _says({"path": "/api/v2/external/nowhere", "fault": "unavailable"}),
    "force_transition": _says({"to": "aborted"}),
    "get_notebook_page": _path(execution_id=Tour.running_notebook),
    "put_snapshot": _restores,
    "reset": _says({}),
}
