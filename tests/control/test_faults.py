"""Faults asked for at run time: added, listed, lifted, refused with the right form."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from emulator.contract.document import load_document
from emulator.faults.standing import MAX_FAULTS
from emulator.resources import CONTROL_CONTRACT_FILE
from emulator.scenario.file.faults import ANYWHERE
from tests.api import Api

UNAVAILABLE = {"fault": "unavailable", "times": 2}


def statuses(api: Api, count: int, path: str = "/workloads/list") -> list[int]:
    return [api.get(path).status_code for _ in range(count)]


def refused(api: Api, body: Any) -> str:
    answer = api.request("POST", "/_emulator/faults", json=body)
    assert answer.status_code == 400, answer.text
    return str(answer.json()["detail"])


def test_a_fault_strikes_as_often_as_it_says_and_tells_what_is_left(api: Api) -> None:
    added = api.control("POST", "/faults", UNAVAILABLE)
    since = "2026-01-01T00:00:00.000Z"
    assert added == {"id": "fault-1", "fault": UNAVAILABLE, "since": since, "met": 0, "hits": 0, "left": 2}
    assert statuses(api, 3) == [503, 503, 200]
    (shown,) = api.control("GET", "/faults")["faults"]
    assert (shown["met"], shown["hits"], shown["left"]) == (2, 2, 0)


def test_yaml_will_do_as_well(api: Api) -> None:
    text = "operation: list_workloads\nanswer:\n  status: 429\n  headers: {Retry-After: 7}\n  body: slow down\n"
    answer = api.request("POST", "/_emulator/faults", content=text, headers={"Content-Type": "application/yaml"})
    assert answer.status_code == 200, answer.text
    struck = api.get("/workloads/list")
    assert (struck.status_code, struck.text, struck.headers["retry-after"]) == (429, "slow down", "7")
    assert struck.headers["content-type"] == "text/plain; charset=utf-8"


def test_one_fault_is_lifted_or_all(api: Api) -> None:
    ids = [api.control("POST", "/faults", {"latency": "1ms"})["id"] for _ in range(3)]
    assert api.control("DELETE", f"/faults/{ids[1]}")["id"] == "fault-2"
    assert [each["id"] for each in api.control("GET", "/faults")["faults"]] == ["fault-1", "fault-3"]
    assert api.control("DELETE", "/faults") == {"status": "ok", "faults_removed": 2}
    assert api.control("GET", "/faults") == {"faults": []}
    gone = api.request("DELETE", "/_emulator/faults/fault-1")
    assert (gone.status_code, gone.json()) == (404, {"detail": "there is no fault `fault-1`"})


def test_a_tenants_faults_hit_nobody_else_and_those_without_a_token_everybody(api: Api) -> None:
    other, server = api.as_caller("lk_another_tenant"), api.as_caller(None)
    api.control("POST", "/faults", UNAVAILABLE)
    assert (statuses(other, 1), statuses(api, 1)) == ([200], [503])
    assert other.control("GET", "/faults") == {"faults": []}
    added = server.control("POST", "/faults", {"fault": "bad-gateway", "times": 2})
    assert added["id"] == "server-fault-1"
    assert (statuses(other, 1), statuses(api, 2)) == ([502], [503, 502])


def test_a_fault_for_all_hits_calls_without_a_token_too(api: Api) -> None:
    server = api.as_caller(None)
    server.control("POST", "/faults", {"fault": "no-capacity", "times": 1})
    assert statuses(server, 2) == [500, 401]


def test_a_reset_lifts_the_faults_of_whoever_resets(api: Api) -> None:
    server = api.as_caller(None)
    api.control("POST", "/faults", UNAVAILABLE)
    server.control("POST", "/faults", UNAVAILABLE)
    api.control("POST", "/reset")
    assert api.control("GET", "/faults") == {"faults": []}
    assert statuses(api, 1) == [503]
    server.control("POST", "/reset")
    assert statuses(api, 1) == [200]
    assert api.control("POST", "/faults", UNAVAILABLE)["id"] == "fault-1"


def test_the_control_api_stays_sane(api: Api) -> None:
    api.as_caller(None).control("POST", "/faults", {"fault": "server-error"})
    assert api.control("GET", "/health")["status"] == "ok"
    assert len(api.as_caller(None).control("GET", "/faults")["faults"]) == 1


def test_a_mistake_is_told_with_the_nearest_word(api: Api) -> None:
    assert refused(api, {"fault": "unavailible"}).endswith(
        "there is no `unavailible` here: did you mean `unavailable`?"
    )
    assert "did you mean `start_python_execution`?" in refused(api, {"fault": "reset", "operation": "start_python"})
    assert refused(api, {"times": 2, "delay": "1s"}).endswith("did you mean `latency`?")
    assert "is longer than 1m" in refused(api, {"latency": "61s"})
    assert api.control("GET", "/faults") == {"faults": []}


@pytest.mark.parametrize("body", [None, [], "reset", 503, {}])
def test_what_is_no_mapping_with_an_effect_is_refused(api: Api, body: Any) -> None:
    answer = api.request(
        "POST", "/_emulator/faults", content=yaml.safe_dump(body), headers={"Content-Type": "application/yaml"}
    )
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("size", "code"), [(64 * 1024, 200), (64 * 1024 + 1, 400)], ids=["as-large-as-may-be", "a-byte-too-large"]
)
def test_a_body_has_at_most_64_kib(api: Api, size: int, code: int) -> None:
    answer = api.request("POST", "/_emulator/faults", json={"answer": {"status": 500, "body": "x" * size}})
    assert answer.status_code == code


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "X Y", "X\r\nY", ""])
def test_no_header_can_break_the_answer(api: Api, name: str) -> None:
    assert name.partition("\r")[0] in refused(api, {"answer": {"status": 500, "headers": {name: "1"}}})


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", " a", "ä", "\x00"])
def test_no_header_value_can_break_the_answer(api: Api, value: str) -> None:
    refused(api, {"answer": {"status": 500, "headers": {"X-A": value}}})


def test_there_are_at_most_a_thousand(api: Api) -> None:
    for _ in range(MAX_FAULTS):
        api.control("POST", "/faults", {"latency": "0s"})
    answer = api.request("POST", "/_emulator/faults", json={"latency": "0s"})
    assert (answer.status_code, answer.json()) == (429, {"detail": "there are 1000 faults already: delete some"})


def test_the_contract_says_what_the_reader_reads() -> None:
    """If this fails: put `ANYWHERE.schema()`, with `format: int64` at each integer, into the contract."""

    def sized(node: Any) -> Any:
        if isinstance(node, list):
            return [sized(each) for each in node]
        if not isinstance(node, dict):
            return node
        whole = {name: sized(each) for name, each in node.items()}
        return whole | ({"format": "int64"} if node.get("type") == "integer" else {})

    assert load_document(CONTROL_CONTRACT_FILE)["components"]["schemas"]["FaultRequest"] == sized(ANYWHERE.schema())
