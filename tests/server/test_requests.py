"""What becomes of requests that are malformed, too large, or for nothing that exists."""

from typing import Any

import pytest

from emulator.server.settings import Settings
from tests.api import BASE, Api, emulator

START = "/execution/streaming/start"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, {"loc": ["body", "code"], "msg": "Field required", "type": "missing"}),
        (
            {"code": 7},
            {"loc": ["body", "code"], "msg": "Input should be a valid string", "type": "string_type"},
        ),
        (
            {"code": "", "timeout": 601},
            {
                "loc": ["body", "timeout"],
                "msg": "Input should be less than or equal to 600",
                "type": "less_than_equal",
            },
        ),
        (
            {"code": "", "timeout": 0},
            {
                "loc": ["body", "timeout"],
                "msg": "Input should be greater than or equal to 1",
                "type": "greater_than_equal",
            },
        ),
        (
            {"code": "", "timeout": 1.5},
            {"loc": ["body", "timeout"], "msg": "Input should be a valid integer", "type": "int_type"},
        ),
        (
            {"code": "", "labels": ["ok", 3]},
            {"loc": ["body", "labels", 1], "msg": "Input should be a valid string", "type": "string_type"},
        ),
        (
            {"code": "", "execution_type": "gpu h100"},
            {
                "loc": ["body", "execution_type"],
                "msg": "String should match pattern '^[a-zA-Z0-9_.]+$'",
                "type": "string_pattern_mismatch",
            },
        ),
        ([], {"loc": ["body"], "msg": "Input should be a valid dictionary", "type": "dict_type"}),
    ],
)
def test_a_malformed_body_is_answered_with_the_place_of_the_problem(
    api: Api, body: Any, problem: dict[str, object]
) -> None:
    answer = api.post(START, body)
    assert answer.status_code == 422
    assert answer.json() == {"detail": [problem]}


def test_every_problem_of_a_body_is_named_at_once(api: Api) -> None:
    answer = api.post(START, {"code": 1, "timeout": "x", "metadata": {"k": 5}})
    assert [problem["loc"] for problem in answer.json()["detail"]] == [
        ["body", "code"],
        ["body", "timeout"],
        ["body", "metadata", "k"],
    ]


@pytest.mark.parametrize(
    "data", [b"{", b'{"code": NaN}', b'{"code": "\\ud800"}', b"\xff", b"[" * 5000, b'{"code": 1e999}']
)
def test_a_body_that_is_no_json_is_malformed(api: Api, data: bytes) -> None:
    answer = api.request("POST", BASE + START, content=data, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "json_invalid"


def test_a_missing_body_is_named_as_such(api: Api) -> None:
    answer = api.request("POST", BASE + START)
    assert answer.json() == {"detail": [{"loc": ["body"], "msg": "Field required", "type": "missing"}]}


def test_a_nul_in_a_text_is_malformed(api: Api) -> None:
    answer = api.post(START, {"code": "print(1)\0"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "code"]


def test_a_body_of_another_media_type_is_refused(api: Api) -> None:
    answer = api.request("POST", BASE + START, content="code=1", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json() == {"detail": "Send application/json, not text/plain"}


def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not() -> None:
    limit = 200
    api = emulator(Settings(max_body_bytes=limit))
    envelope = len(b'{"code": ""}')
    at_limit = b'{"code": "' + b"x" * (limit - envelope) + b'"}'
    headers = {"Content-Type": "application/json"}
    assert api.request("POST", BASE + START, content=at_limit, headers=headers).status_code == 200
    over = api.request("POST", BASE + START, content=at_limit + b" ", headers=headers)
    assert over.status_code == 413
    assert over.json() == {"detail": "The request body is larger than 200 bytes"}


def test_a_body_without_a_declared_length_is_counted_as_it_comes() -> None:
    api = emulator(Settings(max_body_bytes=200))
    chunks = (b" " * 50 for _ in range(5))
    answer = api.request("POST", BASE + START, content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_an_unknown_field_is_accepted_and_told_to_whoever_looks_inside(api: Api) -> None:
    run_id = api.start(colour="red")
    assert api.control("GET", f"/runs/{run_id}")["warnings"] == [
        "body.colour: not in the contract of start_python_execution"
    ]


def test_of_many_unknown_fields_the_first_are_told_and_no_name_at_length(api: Api) -> None:
    unknown: dict[str, Any] = {f"{number:02}{'x' * 1_000}": 1 for number in range(25)}
    run_id = api.start(**unknown)
    warnings = api.control("GET", f"/runs/{run_id}")["warnings"]
    of = "the contract of start_python_execution"
    assert warnings[0] == f"body.00{'x' * 198}...: not in {of}"
    assert (len(warnings), warnings[-1]) == (21, f"and 5 more that are not in {of}")
    strict = emulator(Settings(strict=True)).post(START, {"code": ""} | {f"x{number}": 1 for number in range(25)})
    assert len(strict.json()["detail"]) == 20


def test_the_journal_keeps_little_of_what_is_long(api: Api) -> None:
    api.get(f"/execution/{'z' * 30_000}")
    api.post(START, {"code": "", "metadata": {"k" * 30_000: 5}})
    second, first = api.control("GET", "/requests")["requests"]
    assert len(first["execution_id"]) == 500
    assert second["status_code"] == 422
    assert len(second["detail"]) == 2_000
    assert len(second["violations"][0]) < 300


def test_a_strict_emulator_refuses_unknown_fields_and_parameters() -> None:
    api = emulator(Settings(strict=True))
    body = api.post(START, {"code": "", "colour": "red"})
    assert body.status_code == 422
    assert body.json()["detail"] == [
        {"loc": ["body", "colour"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}
    ]
    query = api.get("/workloads/list", params={"page": "2"})
    assert query.status_code == 422
    assert query.json()["detail"][0]["loc"] == ["query", "page"]


@pytest.mark.parametrize("path", ["/", "/api", f"{BASE}/workloads", f"{BASE}/workloads/list/"])
def test_an_unknown_path_is_not_found_in_the_words_that_clients_know(api: Api, path: str) -> None:
    answer = api.request("GET", path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", f"{BASE}/execution/some-id", "DELETE, GET, HEAD, OPTIONS"),
        ("GET", f"{BASE}/execution/streaming/start", "OPTIONS, POST"),
        ("PUT", f"{BASE}/execution/streaming/abort/status", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json() == {"detail": "Method Not Allowed"}


def test_options_tells_the_methods_without_a_token(api: Api) -> None:
    answer = api.as_caller(None).request("OPTIONS", f"{BASE}/execution/some-id")
    assert answer.status_code == 204
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


def test_head_answers_as_get_does_without_the_body(api: Api) -> None:
    path = f"{BASE}/execution/{api.start()}"
    head, get = api.request("HEAD", path), api.request("GET", path)
    assert head.status_code == 200
    assert head.headers["content-type"] == get.headers["content-type"] == "application/json"
    assert api.request("HEAD", f"{BASE}/execution/unknown").status_code == 404


def test_a_percent_encoded_slash_stays_inside_the_id(api: Api) -> None:
    run_id = api.start()
    answer = api.get(f"/execution/{run_id}%2Ftiming")
    assert answer.json() == {"detail": "Execution not found"}


@pytest.mark.parametrize(
    ("query", "loc", "kind"),
    [
        ("limit=0", ["query", "limit"], "greater_than_equal"),
        ("limit=10001", ["query", "limit"], "less_than_equal"),
        ("limit=ten", ["query", "limit"], "int_parsing"),
        ("limit=", ["query", "limit"], "int_parsing"),
        ("hours=1.5", ["query", "hours"], "int_parsing"),
        ("limit=%FF", ["query", "limit"], "string_unicode"),
        ("&".join(f"a{n}=1" for n in range(101)), ["query"], "too_long"),
    ],
)
def test_a_malformed_parameter_is_named(api: Api, query: str, loc: list[str], kind: str) -> None:
    answer = api.get(f"/logs/execution/{api.start()}?{query}")
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["loc"], problem["type"]) == (loc, kind)


def test_a_preflight_of_a_browser_needs_no_token(api: Api) -> None:
    headers = {
        "Origin": "https://dashboard.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = api.as_caller(None).request("OPTIONS", BASE + START, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()


def test_a_browser_may_read_answers_and_errors_of_the_api_but_not_of_the_control_api(api: Api) -> None:
    headers = {"Origin": "https://dashboard.example"}
    for path, status_code in (("/workloads/list", 200), ("/execution/unknown", 404), ("/nowhere", 404)):
        answer = api.get(path, headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status_code, "*")
    unauthorized = api.as_caller(None).get("/workloads/list", headers=headers)
    assert unauthorized.status_code == 401
    assert unauthorized.headers["access-control-allow-origin"] == "*"
    control = api.request("GET", "/_emulator/health", headers=headers)
    assert control.status_code == 200
    assert "access-control-allow-origin" not in control.headers


def test_metadata_that_is_meant_for_the_emulator_is_told_within_bounds(api: Api) -> None:
    many = {f"emulator.{number:03}{'x' * 300}": "" for number in range(50)}
    execution_id = api.start(metadata=many)
    warnings = api.control("GET", f"/runs/{execution_id}")["warnings"]
    assert len(warnings) == 20
    assert max(map(len, warnings)) < 300
