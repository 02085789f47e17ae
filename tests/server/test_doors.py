"""What every request meets on its way in and out: a proxy's headers, and a mistake of the emulator's own."""

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from emulator.app import create_app, create_service
from emulator.server.call import Call
from emulator.server.handlers import HANDLERS
from tests.api import BASE, KEY


def submitted(proxied: dict[str, str], peer: str = "127.0.0.1") -> str:
    """The URL of the stream that a client is told whose connection comes from `peer`."""
    client = TestClient(create_app(create_service()), client=(peer, 50_000))
    headers = {"Authorization": f"Bearer {KEY}", "Host": "lyceum.test"} | proxied
    answer = client.post(f"{BASE}/execution/streaming/start", json={"code": "pass"}, headers=headers)
    return str(answer.json()["streaming_url"])


def test_a_proxy_on_this_machine_says_how_its_client_came() -> None:
    assert submitted({}).startswith("http://lyceum.test/")
    assert submitted({"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}).startswith("https://lyceum.test/")


def test_only_who_is_trusted_speaks_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    https = {"X-Forwarded-Proto": "https"}
    assert submitted(https, "::1").startswith("https://lyceum.test/")
    assert submitted(https, "192.0.2.7").startswith("http://lyceum.test/")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.7")
    assert submitted(https, "192.0.2.7").startswith("https://lyceum.test/")


def test_a_mistake_of_ours_is_answered_logged_and_in_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_call: Call) -> Response:
        raise KeyError("a mistake")

    monkeypatch.setitem(HANDLERS, "list_workloads", broken)
    service = create_service()
    app = create_app(service)
    with pytest.raises(KeyError, match="a mistake"):  # which the server logs with its traceback
        TestClient(app).get(f"{BASE}/workloads/list", headers={"Authorization": f"Bearer {KEY}"})
    answer = TestClient(app, raise_server_exceptions=False).get(
        f"{BASE}/workloads/list", headers={"Authorization": f"Bearer {KEY}"}
    )
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal Server Error"})
    assert [kept.status_code for kept in service.cloud.journal.newest_first()] == [500, 500]
