"""The emulator's two APIs as tests call them: in process, under a manual clock, one key a client."""

from __future__ import annotations

from typing import Any

import httpx2
from msgspec.structs import replace
from starlette.testclient import TestClient

from emulator.app import create_app, create_service
from emulator.clock import ClockMode, ClockSettings
from emulator.server.self_check import SelfCheck
from emulator.server.settings import Settings

BASE = "/api/v2/external"
KEY = "lk_tests_own_key"
MANUAL = ClockSettings(ClockMode.MANUAL)


class Api:
    """One caller of one emulator, whose every answer has to keep the contract."""

    def __init__(self, http: TestClient, checked: SelfCheck, key: str | None = KEY) -> None:
        self.http = http
        self.checked = checked
        self.key = key

    def as_caller(self, key: str | None) -> Api:
        """The same emulator with another key, or with none."""
        return Api(self.http, self.checked, key)

    def request(self, method: str, path: str, **settings: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= settings.pop("headers", {})
        answer = self.http.request(method, path, headers=headers, **settings)
        assert not self.checked.breaches, list(self.checked.last)
        return answer

    def get(self, path: str, **settings: Any) -> httpx2.Response:
        return self.request("GET", BASE + path, **settings)

    def post(self, path: str, json: object = None, **settings: Any) -> httpx2.Response:
        return self.request("POST", BASE + path, json=json, **settings)

    def control(self, method: str, path: str, json: object = None) -> Any:
        """The JSON that a control call answers, which has to succeed."""
        answer = self.request(method, f"/_emulator{path}", json=json)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def control_text(self, method: str, path: str, text: str) -> Any:
        """The same with a body in YAML."""
        headers = {"Content-Type": "application/yaml"}
        answer = self.request(method, f"/_emulator{path}", content=text, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, **wish: str) -> Any:
        """`by=`, `to=`, or `execution_id=` with `until=`."""
        return self.control("POST", "/clock/advance", wish)

    def start(self, scenario: str | None = None, **body: Any) -> str:
        """Submit a Python run, by default of a script without effect; returns its id."""
        headers = {"X-Emulator-Scenario": scenario} if scenario else {}
        answer = self.post("/execution/streaming/start", {"code": "pass"} | body, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["execution_id"])

    def record(self, execution_id: str) -> dict[str, Any]:
        answer = self.get(f"/execution/{execution_id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def emulator(settings: Settings | None = None, *, clock: ClockSettings = MANUAL, **choices: Any) -> Api:
    """A new emulator and its first caller."""
    service = create_service(replace(settings or Settings(), self_check=True), clock=clock, **choices)
    assert service.self_check is not None
    return Api(TestClient(create_app(service)), service.self_check)
