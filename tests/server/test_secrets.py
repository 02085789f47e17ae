"""Secrets planted wherever a request can hold one: no answer, no log and no view of the emulator shows any of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx2
import pytest

from emulator.contract.document import load_document
from emulator.contract.operations import operations
from emulator.resources import CONTRACT_FILE
from emulator.server.settings import Settings
from tests.api import BASE, Api, emulator
from tests.process import STOP_LIMIT_S, serving

MARK = "s3cr3t"
"""In every planted secret, and nowhere else."""

VARIABLES = "/environment-variables/"
_numbers = count()


def secret() -> str:
    return f"{MARK}{next(_numbers)}"


CREDENTIALS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "docker_password")
CREDENTIAL_TYPES = ("aws", "basic")


def credentials() -> dict[str, str]:
    return {name: secret() for name in CREDENTIALS}


def good() -> Iterator[tuple[str, Any]]:
    """Requests that are accepted."""
    for kind in CREDENTIAL_TYPES:
        common = {**credentials(), "docker_registry_credential_type": kind}
        environment = f"HF_TOKEN={secret()}\nA_KEY=-----BEGIN-----\n{secret()}==\n-----END-----"
        yield "/execution/image/start", {"docker_image_ref": "a", "docker_run_env": f"HF_TOKEN={secret()}", **common}
        yield "/execution/image/start", {"docker_image_ref": "a", "docker_run_env": environment, **common}
        yield "/execution/compose/start", {"compose_file_code": "services: {a: {image: b}}", **common}
    yield "/execution/streaming/start", {"code": "pass", "user_callback_urls": [f"http://u:{secret()}@127.0.0.1:9/"]}
    # Fields of other calls: not in the contract of this one, and secret all the same.
    yield "/execution/streaming/start", {"code": "pass", "docker_run_env": f"HF_TOKEN={secret()}", **credentials()}
    yield VARIABLES, {"environment_variables": [{"name": "HF_TOKEN", "value": secret(), "old_value": secret()}]}
    yield VARIABLES, {"key": "HF_TOKEN", "value": secret(), "is_secret": True, "previous": secret()}
    yield VARIABLES, [{"key": "HF_TOKEN", "value": secret(), "is_secret": False}]


def refused() -> Iterator[tuple[str, Any]]:
    """Requests that are refused for something about the secret itself, or beside it."""
    image: dict[str, Any] = {"docker_image_ref": "a"}
    for name in (*CREDENTIALS, "docker_run_env"):
        for wrong in (secret() + "\0", [secret()], {secret(): secret()}, {"HF_TOKEN": secret()}, [[{"a": secret()}]]):
            yield "/execution/image/start", image | {name: wrong}
            if name != "docker_run_env":
                yield "/execution/compose/start", {"compose_file_code": "a", name: wrong}
        yield "/execution/image/start", image | {name: secret(), "timeout": 0}
    yield "/execution/image/start", image | credentials() | {"execution_type": "gpu.z9"}
    yield "/execution/image/start", image | credentials() | {"metadata": {"emulator.scenario": "no-such-scenario"}}
    yield VARIABLES, [{"key": "A", "value": secret()}, {"key": "A", "value": secret()}]
    for value in (secret() + "\0", secret() * 10_000, [secret()], {"a": secret()}):
        yield VARIABLES, {"name": "A", "value": value}
        yield VARIABLES, {"key": "A", "value": value}
        yield VARIABLES, [{"key": "A", "value": value}]
        yield VARIABLES, {"environment_variables": [{"name": "A", "value": value}, {"name": "B", "value": value}]}
    for whole in (secret(), [secret()], {"HF_TOKEN": secret()}, [[secret()]], [{"name": "A", "val": secret()}]):
        yield VARIABLES, whole
        yield VARIABLES, {"environment_variables": whole}
        yield "/execution/image/start", whole
    yield VARIABLES, {"name": "A-B", "value": secret()}
    yield VARIABLES, {"name": "A", "value": secret(), "is_secret": secret()}
    yield VARIABLES, [{"name": "A", "value": secret()}] * 1001
    yield VARIABLES, [{"name": f"{MARK} {n}", "value": secret()} for n in range(30)]


def garbled() -> Iterator[tuple[str, bytes, str]]:
    """Bodies that cannot be read: path, bytes, media type."""
    for path in (VARIABLES, "/execution/image/start"):
        yield path, f'{{"value": "{secret()}'.encode(), "application/json"
        yield path, f'{{"value": {secret()}}}'.encode(), "application/json"
        yield path, f'{{"value": "{secret()}\xff"}}'.encode("latin-1"), "application/json"
        yield path, f"value={secret()}".encode(), "application/x-www-form-urlencoded"


VIEWS = (
    *(BASE + path for path in (VARIABLES, "/workloads/list", "/billing/history", "/logs/user", "/user/org")),
    *(f"/_emulator/{path}" for path in ("runs", "requests?limit=10000", "queue", "scenarios", "health")),
)
VIEWS_OF_A_RUN = (
    f"{BASE}/execution/{{}}",
    f"{BASE}/execution/{{}}/timing",
    f"{BASE}/execution/streaming/{{}}/status",
    f"{BASE}/logs/execution/{{}}",
    "/api/v1/stream/{}",
    "/_emulator/runs/{}",
    "/_emulator/notebooks/{}/",
)


Send = Callable[..., tuple[int, str]]
"""Method, path, and what to send; status code and the whole answer, its headers included."""


def plant(send: Send) -> Iterator[str]:
    """Send every secret, then look everywhere; each answer as it comes."""
    ids = []
    for path, body in good():
        status_code, text = send("POST", BASE + path, json=body)
        assert status_code == 200, (path, text)
        yield text
        if path.endswith("/start"):
            ids.append(json.loads(text.partition("\n")[2])["execution_id"])
    for path, body in refused():
        status_code, text = send("POST", BASE + path, json=body)
        assert status_code in {400, 403, 422}, (path, body, status_code)
        yield text
    for path, data, media_type in garbled():
        status_code, text = send("POST", BASE + path, content=data, headers={"Content-Type": media_type})
        assert status_code in {415, 422}, (path, data, status_code)
        yield text
    yield send("DELETE", f"{BASE}{VARIABLES}unknown")[1]
    send("POST", "/_emulator/clock/advance", json={"by": "1h"})
    assert len(ids) == 8
    for path in (*VIEWS, *(view.format(run_id) for run_id in ids for view in VIEWS_OF_A_RUN)):
        yield send("GET", path)[1]


def test_every_secret_of_the_contract_is_planted() -> None:
    declared = {
        name for one in operations(load_document(CONTRACT_FILE)).values() if one.body for name in one.body.secrets
    }
    assert declared == {*CREDENTIALS, "docker_run_env", "user_callback_urls", "value"}


@pytest.mark.parametrize("strict", [False, True])
def test_a_secret_shows_in_no_answer_and_in_no_log(api: Api, caplog: pytest.LogCaptureFixture, *, strict: bool) -> None:
    caplog.set_level(logging.DEBUG)

    def send(method: str, path: str, **settings: Any) -> tuple[int, str]:
        answer = api.request(method, path, **settings)
        return answer.status_code, f"{dict(answer.headers)}\n{answer.text}"

    if strict:
        api = emulator(Settings(strict=True))
        for path, body in (*good(), *refused()):
            assert MARK not in send("POST", BASE + path, json=body)[1], (path, body)
        assert MARK not in send("GET", "/_emulator/requests?limit=10000")[1]
    else:
        for text in plant(send):
            assert MARK not in text
    assert [record for record in caplog.records if MARK in record.getMessage()] == []


def test_a_secret_shows_in_nothing_that_the_process_writes() -> None:
    with serving("--clock", "manual", "--log-level", "debug") as server:
        headers = {"Authorization": "Bearer lk_plants_the_marks"}
        with httpx2.Client(base_url=server.url, headers=headers, trust_env=False) as client:

            def send(method: str, path: str, **settings: Any) -> tuple[int, str]:
                answer = client.request(method, path, **settings)
                return answer.status_code, f"{dict(answer.headers)}\n{answer.text}"

            for text in plant(send):
                assert MARK not in text
        server.process.terminate()
        server.process.wait(STOP_LIMIT_S)
        assert server.process.stdout is not None
        written = server.process.stdout.read() + server.logged()
    assert written  # at this level it does write
    assert "lk_plants_the_marks" not in written
    assert MARK not in written
