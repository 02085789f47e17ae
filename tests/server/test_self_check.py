"""Every answer held against the contract."""

from typing import Any

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from emulator.app import create_app, create_service
from emulator.contract.answers import DocumentedAnswers
from emulator.contract.document import load_document
from emulator.contract.operations import operations
from emulator.resources import CONTRACT_FILE
from emulator.server import wire
from emulator.server.settings import Settings
from tests.api import BASE, KEY, MANUAL

TIMING = DocumentedAnswers(operations(load_document(CONTRACT_FILE))["get_execution_timing"])


def problems(status_code: int, media_type: str, body: bytes | None) -> list[str]:
    return list(TIMING.problems(status_code, media_type, body))


def test_what_is_documented_is_no_problem() -> None:
    assert problems(404, "application/json", b'{"detail": "Execution not found"}') == []
    assert problems(200, "application/json", None) == []


@pytest.mark.parametrize(
    ("status_code", "media_type", "body", "told"),
    [
        (418, "application/json", b"{}", "status 418 is not documented"),
        (404, "text/plain", b"no", "the body of status 404 is text/plain, and not application/json"),
        (404, "", b"", "the body of status 404 is of no type"),
        (404, "application/json", b'{"detail": 5}', "answer.detail: "),
        (200, "application/json", b"{}", "answer.timing: Field required"),
    ],
)
def test_what_is_not_is_told(status_code: int, media_type: str, body: bytes, told: str) -> None:
    assert any(problem.startswith(told) for problem in problems(status_code, media_type, body))


def test_a_breach_is_counted_and_shown_in_the_health(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without_status(*_: Any) -> dict[str, Any]:
        return {"timing": {}}

    client = TestClient(create_app(create_service(replace(Settings(), self_check=True), clock=MANUAL)))
    headers = {"Authorization": f"Bearer {KEY}"}
    started = client.post(f"{BASE}/execution/streaming/start", json={"code": "pass"}, headers=headers)
    assert client.get("/_emulator/health").json()["self_check"] == {"breaches": 0, "last": []}
    monkeypatch.setattr(wire, "timing", without_status)
    client.get(f"{BASE}/execution/{started.json()['execution_id']}/timing", headers=headers)
    checked = client.get("/_emulator/health").json()["self_check"]
    assert checked["breaches"] == len(checked["last"]) > 0
    assert all(told.startswith("get_execution_timing: answer.timing") for told in checked["last"])
    assert "this emulator broke its contract" in caplog.text


def test_without_the_setting_nothing_is_checked() -> None:
    client = TestClient(create_app(create_service(clock=MANUAL)))
    assert client.get("/_emulator/health").json()["self_check"] is None
