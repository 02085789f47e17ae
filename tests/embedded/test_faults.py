"""Broken answers where there is no socket that could break: they end short, or never begin."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from starlette.testclient import TestClient

from emulator import Lyceum


@pytest.fixture
def client(tenant: Lyceum) -> Iterator[httpx2.Client]:
    with httpx2.Client(
        transport=tenant.transport(), base_url=tenant.base_url, headers=tenant.headers, timeout=5
    ) as client:
        yield client


@pytest.mark.parametrize("fault", ["reset", "truncated", "reset-in-body"])
def test_an_answer_that_breaks_off_is_an_error_of_the_protocol(
    tenant: Lyceum, client: httpx2.Client, fault: str
) -> None:
    tenant.fault(fault, times=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get("/machine-types")
    assert client.get("/machine-types").status_code == 200


@pytest.mark.parametrize("fault", ["reset", "truncated"])
def test_a_client_of_the_asgi_application_is_told_that_the_answer_broke_off(tenant: Lyceum, fault: str) -> None:
    tenant.fault(fault, times=1)
    with TestClient(tenant.app, base_url=tenant.base_url, headers=tenant.headers) as client:
        with pytest.raises(ConnectionResetError, match=r"^the emulator broke the answer off"):
            client.get("/machine-types")
        assert client.get("/machine-types").status_code == 200


@pytest.mark.parametrize("fault", ["stream-cut", "stream-reset"])
def test_a_stream_breaks_after_its_events(tenant: Lyceum, client: httpx2.Client, fault: str) -> None:
    started = client.post("/execution/streaming/start", json={"code": "pass"}).json()
    tenant.control("POST", "/clock/advance", {"by": "1h"})
    tenant.fault(fault, after_events=2)
    heard: list[bytes] = []
    with client.stream("POST", started["streaming_url"]) as answer, pytest.raises(httpx2.RemoteProtocolError):
        heard.extend(answer.iter_bytes())
    assert b"".join(heard).count(b"data: ") == 2
