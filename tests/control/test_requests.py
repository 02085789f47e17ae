"""The journal over HTTP: what was asked, what broke the contract, and no secrets."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from emulator.app import create_app, create_service
from emulator.server.service import Service
from emulator.server.settings import Settings
from tests.api import BASE, KEY, Api, emulator


@pytest.fixture
def api() -> Api:
    return emulator()


def journal(api: Api, query: str = "") -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = api.control("GET", f"/requests{query}")["requests"]
    return requests


def test_a_submission_is_told_with_its_run_and_its_body(api: Api) -> None:
    api.advance(by="5s")
    execution_id = api.start(code="print(1)")
    (told,) = journal(api)
    assert (told["number"], told["method"]) == (1, "POST")
    assert told["path"] == f"{BASE}/execution/streaming/start"
    assert told["operation_id"] == "start_python_execution"
    assert told["execution_id"] == execution_id
    assert told["body"] == {"code": "print(1)"}
    assert (told["status_code"], told["detail"], told["violations"]) == (200, None, [])
    assert told["at"] == "2026-01-01T00:00:05.000Z"


def test_a_malformed_request_is_told_with_the_field_and_the_reason(api: Api) -> None:
    api.post("/execution/streaming/start", {"code": "pass", "timeout": "soon", "colour": "red"})
    (told,) = journal(api, "?violations=true")
    assert told["violations"] == ["body.timeout: Input should be a valid integer"]
    assert told["warnings"] == ["body.colour: not in the contract of start_python_execution"]
    assert told["detail"] == "body.timeout: Input should be a valid integer"
    assert told["execution_id"] is None


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_the_contract_does_not_know_is_a_violation_of_its_caller(api: Api, method: str) -> None:
    api.request(method, "/api/v2/external/executions/5")
    (told,) = journal(api)
    assert told["operation_id"] is None
    assert told["violations"] == [
        "path: there is no such path in the contract; did you mean /api/v2/external/execution/{execution_id}?"
    ]
    assert journal(api.as_caller("lk_somebody_else")) == []


def test_a_method_that_a_path_does_not_know_is_a_violation(api: Api) -> None:
    assert api.request("PATCH", f"{BASE}/workloads/list").status_code == 405
    (told,) = journal(api)
    assert told["violations"] == ["path: there is no such method for this path in the contract, only GET, HEAD"]


def test_an_unknown_run_and_a_bad_token_break_no_contract(api: Api) -> None:
    api.get("/execution/nowhere")
    api.as_caller("nonsense").get("/execution/nowhere")
    assert [told["violations"] for told in journal(api.as_caller(None))] == [[], []]
    assert [told["status_code"] for told in journal(api.as_caller(None))] == [401, 404]
    assert [told["status_code"] for told in journal(api)] == [404]


def test_what_comes_to_no_operation_has_its_time_on_the_clock_too(api: Api) -> None:
    api.start()
    api.advance(by="5s")
    api.get("/nothing")
    api.request("PATCH", f"{BASE}/workloads/list")
    api.get("/workloads/list", headers={"Authorization": "Bearer nonsense"})
    assert api.as_caller("lk_somebody_else").get("/nothing").status_code == 404
    server_now = api.as_caller(None).control("GET", "/clock")["now"]
    told = [(each["status_code"], each["at"]) for each in journal(api.as_caller(None))]
    assert server_now == "2026-01-01T00:00:00.000Z"
    assert told[:4] == [
        (404, server_now),
        (401, server_now),
        (405, "2026-01-01T00:00:05.000Z"),
        (404, "2026-01-01T00:00:05.000Z"),
    ]


def test_a_body_that_is_no_json_is_a_violation_and_is_not_kept(api: Api) -> None:
    body = b'{"docker_password": "hunter2'
    api.request("POST", f"{BASE}/execution/image/start", content=body, headers={"Content-Type": "application/json"})
    (told,) = journal(api)
    assert (told["body"], told["body_bytes"]) == (None, len(body))
    assert "JSON decode error" in told["violations"][0]


def test_secrets_are_masked_wherever_they_were_sent(api: Api) -> None:
    secret = "hunter2-secret"
    body = {
        "docker_image_ref": "python:3.13",
        "docker_password": secret,
        "aws_secret_access_key": secret,
        "docker_run_env": f"TOKEN={secret}",
        "docker_pasword": secret,
    }
    api.post("/execution/image/start", body)
    api.post("/execution/image/start", body | {"timeout": "soon"})
    api.request("GET", f"{BASE}/workloads/list?api_key={secret}")
    answer = api.request("GET", "/_emulator/requests")
    assert secret not in answer.text
    shown = journal(api)[-1]["body"]
    assert shown["docker_image_ref"] == "python:3.13"
    assert shown["docker_password"] == shown["docker_run_env"] == shown["docker_pasword"] == "***"


def test_long_bodies_are_shortened(api: Api) -> None:
    api.post("/execution/streaming/start", {"code": "x" * 100_000, "labels": [str(n) for n in range(20)]})
    (told,) = journal(api)
    assert told["body"]["code"] == "x" * 200 + "... 100000 characters"
    assert told["body_bytes"] > 100_000


def test_requests_are_found_by_operation_status_and_run(api: Api) -> None:
    first, second = api.start(), api.start()
    api.record(first)
    api.get("/execution/nowhere")
    assert len(journal(api, f"?execution_id={first}")) == 2
    assert len(journal(api, f"?execution_id={second}")) == 1
    assert len(journal(api, "?operation_id=get_execution")) == 2
    assert len(journal(api, "?status=404")) == 1
    assert len(journal(api, "?violations=false&limit=1")) == 1
    assert api.control("GET", "/requests?limit=1")["total"] == 4


def test_the_journal_is_emptied_for_one_caller_or_for_all(api: Api) -> None:
    other = api.as_caller("lk_somebody_else")
    api.start()
    other.start()
    assert api.control("DELETE", "/requests") == {"status": "ok", "requests_removed": 1}
    assert (journal(api), len(journal(other))) == ([], 1)
    assert api.as_caller(None).control("DELETE", "/requests")["requests_removed"] == 1
    assert journal(other) == []


def test_a_reset_empties_the_journal_of_its_caller(api: Api) -> None:
    other = api.as_caller("lk_somebody_else")
    api.start()
    other.start()
    api.control("POST", "/reset")
    assert (journal(api), len(journal(other))) == ([], 1)


def test_what_a_strict_server_refuses_is_told_as_violation_and_warning() -> None:
    api = emulator(Settings(strict=True))
    assert api.post("/execution/streaming/start", {"code": "pass", "colour": "red"}).status_code == 422
    (told,) = journal(api)
    assert told["violations"] == ["body.colour: Extra inputs are not permitted"]
    assert told["warnings"] == ["body.colour: not in the contract of start_python_execution"]


def test_bytes_that_are_no_text_are_told_all_the_same(api: Api) -> None:
    api.request("GET", f"{BASE}/execution/%ff%00?%ff=%fe")
    (told,) = journal(api)
    assert told["status_code"] == 404


def test_operations_are_found_by_pattern_and_a_slip_is_told(api: Api) -> None:
    api.start()
    assert len(journal(api, "?operation_id=start_*")) == 1
    answer = api.request("GET", "/_emulator/requests?operation_id=get_exec")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "the contract has no operation `get_exec`; the nearest is `get_execution`"


def test_a_filter_with_a_slip_is_refused(api: Api) -> None:
    answer = api.request("GET", "/_emulator/requests?violation=true")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"] == "Extra inputs are not permitted: did you mean violations?"


def test_an_unknown_control_call_is_told_the_one_that_it_looks_like(api: Api) -> None:
    answer = api.request("GET", "/_emulator/run")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "there is no such path in the contract; did you mean /_emulator/runs?",
    )
    assert api.request("GET", "/_emulator").json()["detail"].endswith("did you mean /_emulator/health?")
    assert journal(api) == []


def test_a_misspelt_field_is_told_the_one_that_was_meant(api: Api) -> None:
    refused = api.request("POST", "/_emulator/queue", json={"scenario": "oom", "match": {"labls": ["x"]}})
    assert refused.json()["detail"] == [
        {
            "loc": ["body", "match", "labls"],
            "msg": "Extra inputs are not permitted: did you mean labels?",
            "type": "extra_forbidden",
        }
    ]
    api.start(file_nam="train.py")
    (told,) = journal(api)
    assert told["warnings"] == ["body.file_nam: not in the contract of start_python_execution: did you mean file_name?"]


def test_a_stream_that_is_followed_without_a_token_is_in_the_journal_of_its_runs_tenant(api: Api) -> None:
    execution_id = api.start()
    api.advance(by="1h")
    stranger = api.as_caller(None)
    assert stranger.request("POST", f"/api/v1/stream/{execution_id}").status_code == 200
    assert [told["operation_id"] for told in journal(api)] == ["stream_output", "start_python_execution"]


def test_a_method_that_a_control_call_does_not_know_is_told_those_that_it_does(api: Api) -> None:
    answer = api.request("PUT", "/_emulator/clock")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, PATCH")
    assert answer.json()["detail"].endswith("only GET, HEAD, PATCH")


def test_under_strict_a_field_is_told_once() -> None:
    strict = emulator(Settings(strict=True))
    refused = strict.request("POST", "/_emulator/queue", json={"scenario": "oom", "time": 2})
    assert [problem["loc"] for problem in refused.json()["detail"]] == [["body", "time"]]


@pytest.mark.parametrize("name", ["emulator_scenario", "emulator.scenari", "Emulator.Scenario", "emulator-scenario"])
def test_a_misspelt_wish_for_a_scenario_is_told(api: Api, name: str) -> None:
    execution_id = api.start(metadata={name: "oom", "emulator": "android"})
    (warning,) = api.control("GET", f"/runs/{execution_id}")["warnings"]
    assert warning == f"body.metadata.{name}: the emulator knows only emulator.scenario"


async def upload_broken_off(service: Service) -> None:
    """A start whose client goes away in the middle of its body."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(f"there is nobody to send {message} to")

    path = f"{BASE}/execution/streaming/start"
    headers = [(b"authorization", f"Bearer {KEY}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    await create_app(service)(scope | {"headers": headers}, receive, send)


def test_an_upload_that_was_broken_off_is_in_the_journal() -> None:
    service = create_service(Settings(self_check=True))
    asyncio.run(upload_broken_off(service))
    (exchange,) = service.cloud.journal.newest_first()
    assert (exchange.method, exchange.status_code) == ("POST", 0)
    assert service.self_check is not None
    assert service.self_check.breaches == 0
