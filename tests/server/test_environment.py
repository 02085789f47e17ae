"""Environment variables over HTTP, and the runs that get them."""

from typing import Any

import pytest

from emulator.tenants.environment import MAX_VARIABLES
from tests.api import BASE, Api

PATH = "/environment-variables/"


def put(api: Api, *names: str) -> list[dict[str, Any]]:
    answer = api.post(PATH, {"environment_variables": [{"name": name, "value": "x"} for name in names]})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["environment_variables"]
    return rows


def names(api: Api) -> list[str]:
    return [row["name"] for row in api.get(PATH).json()["environment_variables"]]


def start_image(api: Api, **body: Any) -> str:
    answer = api.post("/execution/image/start", {"docker_image_ref": "python:3.13"} | body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["execution_id"])


def given(api: Api, run_id: str) -> Any:
    return api.record(run_id)["environment_variables"]


@pytest.mark.parametrize(
    "body",
    [
        {"environment_variables": [{"name": "HF_TOKEN", "value": "x"}, {"name": "_a1", "value": ""}]},
        {"environment_variables": [{"key": "HF_TOKEN", "value": "x"}, {"name": "_a1", "value": ""}]},
        [{"key": "HF_TOKEN", "value": "x", "is_secret": True}, {"key": "_a1", "value": ""}],
    ],
)
def test_several_variables_can_be_set_in_each_known_body(api: Api, body: Any) -> None:
    assert api.post(PATH, body).status_code == 200
    assert names(api) == ["HF_TOKEN", "_a1"]


@pytest.mark.parametrize("name", ["name", "key"])
def test_one_variable_can_be_set_by_itself(api: Api, name: str) -> None:
    answer = api.post(PATH, {name: "WANDB_MODE", "value": "offline", "is_secret": False})
    user_id = api.record(api.start())["user_id"]
    (row,) = answer.json()["environment_variables"]
    assert row == {
        "id": row["id"],
        "user_id": user_id,
        "name": "WANDB_MODE",
        "value": None,
        "is_secret": False,
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
    }
    assert api.get(PATH).json() == {"environment_variables": [row]}


def test_a_name_that_is_there_is_replaced(api: Api) -> None:
    (before,) = put(api, "HF_TOKEN")
    api.advance(by="5m")
    (after,) = put(api, "HF_TOKEN")
    assert after == before | {"updated_at": "2026-01-01T00:05:00.000Z"}
    assert names(api) == ["HF_TOKEN"]


@pytest.mark.parametrize(
    "body",
    [
        [{"name": "A", "value": "one"}, {"name": "B", "value": ""}, {"key": "A", "value": "two"}],
        {"environment_variables": [{"name": "A", "value": "one"}, {"name": "A", "value": "one"}]},
    ],
)
def test_a_name_that_comes_twice_is_refused_and_nothing_is_stored(api: Api, body: Any) -> None:
    answer = api.post(PATH, body)
    assert (answer.status_code, answer.json()) == (400, {"detail": "Duplicate environment variable name: A"})
    assert names(api) == []


@pytest.mark.parametrize(
    ("body", "loc", "kind"),
    [
        ({}, ["body", "environment_variables"], "missing"),
        ("HF_TOKEN=x", ["body"], "dict_type"),
        ({"key": "A"}, ["body", "value"], "missing"),
        ({"name": "A"}, ["body", "value"], "missing"),
        ({"name": "A", "value": None}, ["body", "value"], "string_type"),
        ({"name": "1A", "value": "x"}, ["body", "name"], "string_pattern_mismatch"),
        ({"name": "A-B", "value": "x"}, ["body", "name"], "string_pattern_mismatch"),
        ({"name": "A\n", "value": "x"}, ["body", "name"], "string_pattern_mismatch"),
        ({"name": "", "value": "x"}, ["body", "name"], "string_pattern_mismatch"),
        ({"name": "A" * 256, "value": "x"}, ["body", "name"], "string_too_long"),
        ({"name": "A", "value": "x" * 32_769}, ["body", "value"], "string_too_long"),
        ({"name": "A", "value": "x\0"}, ["body", "value"], "string_pattern_mismatch"),
        ({"name": "A", "value": "x", "is_secret": "yes"}, ["body", "is_secret"], "bool_type"),
        ([{"name": "A", "value": "x"}, {"key": "B"}], ["body", 1, "value"], "missing"),
        ({"environment_variables": {"A": "x"}}, ["body", "environment_variables"], "list_type"),
        ({"environment_variables": 5, "key": "A", "value": "x"}, ["body", "environment_variables"], "list_type"),
        ([{"name": "A", "value": "x"}] * 1001, ["body"], "too_long"),
        ([], ["body"], "too_short"),
        ({"environment_variables": []}, ["body", "environment_variables"], "too_short"),
    ],
)
def test_a_malformed_variable_is_answered_with_its_place(api: Api, body: Any, loc: list[Any], kind: str) -> None:
    answer = api.post(PATH, body)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["loc"], problem["type"]) == (loc, kind)
    assert names(api) == []


def test_names_and_values_may_be_as_long_as_the_bounds(api: Api) -> None:
    assert api.post(PATH, {"name": "A" * 255, "value": "x" * 32_768}).status_code == 200


def test_over_the_limit_of_variables_a_request_is_refused(api: Api) -> None:
    put(api, *(f"V{n}" for n in range(MAX_VARIABLES)))
    answer = api.post(PATH, {"name": "ONE_MORE", "value": "x"})
    assert answer.status_code == 429
    assert answer.json() == {"detail": "at most 1000 environment variables are kept; delete some first"}
    assert api.post(PATH, {"name": "V0", "value": "new"}).status_code == 200


def test_one_variable_is_deleted_by_its_id(api: Api) -> None:
    first, _ = put(api, "A", "B")
    path = f"{BASE}{PATH}{first['id']}"
    answer = api.request("DELETE", path)
    assert (answer.status_code, answer.json()) == (
        200,
        {"id": first["id"], "message": "Environment variable deleted"},
    )
    assert names(api) == ["B"]
    again = api.request("DELETE", path)
    assert (again.status_code, again.json()) == (404, {"detail": "Environment variable not found"})


def test_all_variables_are_deleted_at_once(api: Api) -> None:
    put(api, "A", "B")
    answer = api.request("DELETE", BASE + PATH)
    assert answer.json() == {"deleted": 2, "message": "Environment variables deleted"}
    assert names(api) == []
    assert api.request("DELETE", BASE + PATH).json()["deleted"] == 0


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_the_path_without_its_slash_is_not_found(api: Api, method: str) -> None:
    answer = api.request(method, f"{BASE}/environment-variables", json={"name": "A", "value": "x"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_a_tenant_sees_and_deletes_its_own_variables_only(api: Api) -> None:
    (mine,) = put(api, "MINE")
    other = api.as_caller("lk_somebody_else")
    put(other, "THEIRS")
    assert other.request("DELETE", f"{BASE}{PATH}{mine['id']}").status_code == 404
    other.request("DELETE", BASE + PATH)
    assert (names(api), names(other)) == (["MINE"], [])
    assert given(other, other.start()) == []


def test_a_reset_forgets_the_variables(api: Api) -> None:
    put(api, "A")
    api.control("POST", "/reset")
    assert names(api) == []


def test_a_run_names_the_variables_that_were_stored_when_it_was_submitted(api: Api) -> None:
    before = api.start()
    put(api, "WANDB_MODE", "HF_TOKEN")
    during = api.start()
    api.request("DELETE", BASE + PATH)
    after = api.start()
    assert [given(api, run_id) for run_id in (before, during, after)] == [[], ["HF_TOKEN", "WANDB_MODE"], []]
    assert api.control("GET", f"/runs/{during}")["submission"]["environment"] == ["HF_TOKEN", "WANDB_MODE"]


def test_every_kind_of_run_gets_them(api: Api) -> None:
    put(api, "HF_TOKEN")
    compose = api.post("/execution/compose/start", {"compose_file_code": "services: {a: {image: b}}"}).json()
    for run_id in (api.start(), start_image(api), str(compose["execution_id"])):
        assert given(api, run_id) == ["HF_TOKEN"]


def test_an_image_run_names_its_own_variables_beside_those_that_are_stored(api: Api) -> None:
    put(api, "HF_TOKEN", "SEED")
    run_id = start_image(api, docker_run_env="BATCH=32\nSEED=7\nEMPTY=\nURL=https://a/?b=c\n")
    assert given(api, run_id) == ["BATCH", "EMPTY", "HF_TOKEN", "SEED", "URL"]
    assert api.control("GET", f"/runs/{run_id}")["warnings"] == []


@pytest.mark.parametrize(
    "text",
    [
        "KEY=-----BEGIN KEY-----\nMIIEvQIBADAN\nsecretpart=\n-----END KEY-----",
        "KEY=first line\nsecretpart==",
        "KEY=a\nsecretpart",
        "1KEY=a",
    ],
)
def test_a_value_with_line_breaks_lends_no_name_to_anything(api: Api, text: str) -> None:
    run_id = start_image(api, docker_run_env=text)
    assert given(api, run_id) == []
    assert api.control("GET", f"/runs/{run_id}")["warnings"] == [
        "body.docker_run_env: not one NAME=value a line, so none of its names are read"
    ]


NEEDY = """
timeline: [{pending: 1s}, {starting: 1s}, {running: 10s}]
needs_env: [HF_TOKEN, WANDB_API_KEY]
output:
  - {at: 0s, text: "hello\\n"}
  - {every: 100ms, from: 100ms, text: "loss {loss:.1f}\\n", fields: {loss: {from: 10.0, to: 0.0}}}
"""


def test_a_run_without_a_variable_that_its_scenario_needs_fails_as_python_does(api: Api) -> None:
    put(api, "HF_TOKEN")
    answer = api.request(
        "PUT", "/_emulator/scenarios/needy", content=NEEDY, headers={"Content-Type": "application/yaml"}
    )
    assert answer.status_code == 200, answer.text
    run_id = api.start("needy")
    api.advance(execution_id=run_id, until="running")
    assert api.record(run_id)["status"] == "running"
    api.advance(by="249ms")
    assert api.record(run_id)["status"] == "running"
    api.advance(by="1ms")
    record = api.record(run_id)
    assert (record["status"], record["return_code"], record["errors"]) == ("failed", 1, "KeyError: 'WANDB_API_KEY'")
    assert record["stdout"] == "hello\nloss 10.0\nloss 9.9\n"
    assert record["stderr"].splitlines()[0] == "Traceback (most recent call last):"
    assert record["stderr"].splitlines()[-1] == "KeyError: 'WANDB_API_KEY'"
    assert (record["system_errors"], record["end_time"]) == (None, "2026-01-01T00:00:02.250Z")
    stream = api.request("POST", f"/api/v1/stream/{run_id}").text
    assert "KeyError: 'WANDB_API_KEY'" in stream
    assert stream.endswith('data: {"jobFinished": {"job": {"result": {"returnCode": 1}}}}\n\n')

    put(api, "WANDB_API_KEY")
    with_both = api.start("needy")
    api.advance(execution_id=with_both, until="terminal")
    assert api.record(with_both)["status"] == "completed"
    assert api.record(run_id)["status"] == "failed"


def test_a_variable_that_the_submission_brings_is_not_missed(api: Api) -> None:
    api.request("PUT", "/_emulator/scenarios/needy", content=NEEDY, headers={"Content-Type": "application/yaml"})
    metadata = {"emulator.scenario": "needy"}
    run_id = start_image(api, docker_run_env="HF_TOKEN=x\nWANDB_API_KEY=y", metadata=metadata)
    api.advance(execution_id=run_id, until="terminal")
    assert api.record(run_id)["status"] == "completed"
