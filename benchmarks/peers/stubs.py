"""What the peers are configured with, all from one set of answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.client import Client
from benchmarks.load import Request

CONTRACT, MOCKOON_FILE, CONSTANT = "contract.json", "mockoon.json", "constant.json"
_JSON = "application/json"


def answers_of(client: Client, requests: Mapping[str, Request]) -> dict[str, bytes]:
    """What the emulator answers to the first of each of `requests`, by their names."""
    return {
        name: client.ask(each.paths[0], each.body, headers=each.headers, status=each.status)
        for name, each in requests.items()
    }


def constant_path(name: str) -> str:
    """Where the bare server answers what is measured as `name`."""
    return "/" + name.replace(" ", "-")


def write_stubs(directory: Path, answers: Mapping[str, bytes], requests: Mapping[str, Request]) -> None:
    """Files for every peer: they send `answers` to `requests`."""
    contract = yaml.safe_load(Path(__file__).with_name("contract.yaml").read_text())
    stubs = [
        _Stub(path, method, operation, json.loads(answers[operation["operationId"]]))
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post")
    ]
    for stub in stubs:
        stub.operation["responses"]["200"]["content"][_JSON]["example"] = stub.answer
    constants = [
        {"path": constant_path(name), "status": requests[name].status, "body": answer.decode()}
        for name, answer in answers.items()
    ]
    (directory / "mappings").mkdir(exist_ok=True)  # where WireMock looks for its own
    for name, written in {
        CONTRACT: contract,
        MOCKOON_FILE: _mockoon(stubs),
        "mappings/runs.json": {"mappings": [stub.wiremock() for stub in stubs]},
        CONSTANT: constants,
    }.items():
        (directory / name).write_text(json.dumps(written))


class _Stub:
    """One operation and its answer, as each peer wants to be told."""

    def __init__(self, path: str, method: str, operation: dict[str, Any], answer: object) -> None:
        self.path, self.method, self.operation, self.answer = path, method, operation, answer
        self.text = json.dumps(answer, separators=(",", ":"))

    def wiremock(self) -> dict[str, Any]:
        pattern = self.path.replace("{execution_id}", "[^/]+")
        return {
            "request": {"method": self.method.upper(), "urlPathPattern": pattern},
            "response": {"status": 200, "body": self.text, "headers": {"Content-Type": _JSON}},
        }

    def mockoon(self) -> dict[str, Any]:
        response = {
            "uuid": f"response of {self.path}",
            "body": self.text,
            "statusCode": 200,
            "headers": [{"key": "Content-Type", "value": _JSON}],
            "disableTemplating": True,
            "default": True,
        }
        endpoint = self.path.strip("/").replace("{execution_id}", ":execution_id")
        return {
            "uuid": f"route of {self.path}",
            "type": "http",
            "method": self.method,
            "endpoint": endpoint,
            "responses": [response],
        }


def _mockoon(stubs: list[_Stub]) -> dict[str, Any]:
    """An environment with what matters here; Mockoon adds the rest when it is told to repair files."""
    routes = [stub.mockoon() for stub in stubs]
    children = [{"type": "route", "uuid": route["uuid"]} for route in routes]
    return {
        "uuid": "runs",
        "lastMigration": 33,
        "name": "Runs",
        "port": 3000,
        "hostname": "127.0.0.1",
        "routes": routes,
        "rootChildren": children,
    }
