"""What a session has tried: answers by operation and status code, statuses, transitions, scenarios."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from emulator.cli import main
from emulator.cli.coverage import lines_of
from tests.api import Api, emulator
from tests.process import serving


def answers(found: dict[str, Any], operation_id: str) -> dict[str, int]:
    (row,) = [row for row in found["operations"] if row["operation_id"] == operation_id]
    told: dict[str, int] = row["answers"]
    return told


@pytest.fixture
def api() -> Api:
    return emulator()


def test_at_first_nothing_was_tried(api: Api) -> None:
    found = api.control("GET", "/coverage")
    assert found["answers"]["tried"] == 0
    assert found["answers"]["documented"] == sum(len(row["answers"]) for row in found["operations"]) > 100
    assert answers(found, "get_execution") == {"200": 0, "401": 0, "403": 0, "404": 0}
    assert found["statuses"]["tried"] == found["transitions"]["tried"] == found["scenarios"]["tried"] == []
    assert "oom" in found["scenarios"]["untried"]


def test_each_answer_is_counted_with_its_operation(api: Api) -> None:
    execution_id = api.start()
    api.record(execution_id)
    api.record(execution_id)
    api.get("/execution/unknown")
    api.request("HEAD", f"/api/v2/external/execution/{execution_id}")
    api.get("/nowhere")
    found = api.control("GET", "/coverage")
    assert answers(found, "get_execution") == {"200": 2, "401": 0, "403": 0, "404": 1}
    assert answers(found, "start_python_execution")["200"] == 1
    assert found["answers"]["tried"] == 3


def test_what_a_run_went_through_is_seen_though_it_is_gone_and_nobody_looked_meanwhile(api: Api) -> None:
    execution_id = api.start("failed")
    api.advance(execution_id=execution_id, until="terminal")
    api.record(execution_id)
    api.control("POST", "/reset")
    api.start("oom")
    found = api.control("GET", "/coverage")
    assert found["scenarios"]["tried"] == ["failed", "oom"]
    assert found["statuses"]["tried"] == ["failed", "pending", "running", "starting"]
    assert found["transitions"]["tried"] == ["pending -> starting", "running -> failed", "starting -> running"]
    assert "running -> completed" in found["transitions"]["untried"]


def test_a_scripted_fault_is_no_answer_of_the_operation(api: Api) -> None:
    api.control("POST", "/faults", {"operation": "get_user_org", "answer": {"status": 403}})
    assert api.request("GET", "/api/v2/external/user/org").status_code == 403
    found = api.control("GET", "/coverage")
    assert answers(found, "get_user_org")["403"] == 0
    assert [each["faults"] for each in found["operations"] if each["operation_id"] == "get_user_org"] == [1]


def test_the_command_prints_a_table_and_compares_with_what_is_wanted() -> None:
    with serving() as server:
        shown = CliRunner().invoke(main, ["coverage", "--url", server.url])
        wanted = CliRunner().invoke(main, ["coverage", "--url", server.url, "--fail-under", "1"])
        raw = CliRunner().invoke(main, ["coverage", "--url", server.url, "--json"])
    assert (shown.exit_code, wanted.exit_code, raw.exit_code) == (0, 1, 0)
    assert shown.output.rstrip("\n").split("\n") == lines_of(json.loads(raw.output))
    assert "never called  (not 200 401 403 404)\n" in shown.output
    gone = CliRunner().invoke(main, ["coverage", "--url", server.url])
    assert gone.exit_code == 2
    assert gone.output.startswith(f"lyceum-emulator: no emulator answers at {server.url}: ")


def test_the_command_names_the_option_for_a_protected_emulator() -> None:
    with serving("--control-token", "sesame") as server:
        given: tuple[list[str], ...] = [], ["--control-token", "open"], ["--control-token", "sesame"]
        without, wrong, right = (
            CliRunner().invoke(main, ["coverage", "--url", server.url, *arguments]) for arguments in given
        )
    for refused in without, wrong:
        said = f"the emulator at {server.url} wants its control token: give the right one with --control-token"
        assert (refused.exit_code, refused.output) == (2, f"lyceum-emulator: {said}\n")
    assert right.exit_code == 0


def test_the_table_has_an_operation_a_line() -> None:
    found = {
        "answers": {"tried": 2, "documented": 4},
        "operations": [
            {"operation_id": "start", "answers": {"200": 3, "404": 1}, "faults": 1},
            {"operation_id": "stop", "answers": {"200": 0, "404": 0}, "faults": 0},
            {"operation_id": "list", "answers": {"200": 0}, "faults": 8},
        ],
        "statuses": {"tried": ["pending"], "untried": ["running"]},
        "transitions": {"tried": [], "untried": []},
        "scenarios": {"tried": ["oom"], "untried": []},
    }
    assert lines_of(found) == [
        "start  200: 3  404: 1",
        "stop   never called  (not 200 404)",
        "list   only faults: 8  (not 200)",
        "",
        "answers: 2 of 4 documented (50 %)",
        "statuses: pending",
        "  untried: running",
        "transitions: none",
        "scenarios: oom",
    ]
