"""A line for each request."""

import errno
import io
import json

import httpx2
import pytest
from starlette.testclient import TestClient

from emulator.app import create_app, create_service
from emulator.server.request_log import RequestLog, _one_line
from emulator.server.settings import LogFormat
from tests.api import BASE, KEY, MANUAL
from tests.process import serving

HEADERS = {"Authorization": f"Bearer {KEY}"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged_client(log_format: LogFormat, out: io.StringIO) -> TestClient:
    service = create_service(clock=MANUAL)
    service.observers.append(RequestLog(service.cloud, log_format, out))
    return TestClient(create_app(service))


def test_a_submission_is_a_line_with_its_scenario_and_why() -> None:
    out = io.StringIO()
    answer = logged_client(LogFormat.TEXT, out).post(
        f"{BASE}/execution/streaming/start", json={"code": "pass"}, headers=HEADERS
    )
    first, second = out.getvalue().splitlines()
    assert " POST   200 " in first
    assert first.endswith(f"{BASE}/execution/streaming/start")
    told = f"run {answer.json()['execution_id']} takes completed: no queue entry, name or match applies"
    assert second.strip() == told


def test_near_misses_name_the_condition_that_failed() -> None:
    out = io.StringIO()
    client = logged_client(LogFormat.TEXT, out)
    wish = {"scenario": "oom", "match": {"file_name": "train-*.py"}}
    client.post("/_emulator/queue", json=wish, headers=HEADERS)
    client.post(f"{BASE}/execution/streaming/start", json={"code": "pass", "file_name": "eval.py"}, headers=HEADERS)
    assert "near miss: oom: file_name: wants `train-*.py`, found `eval.py`" in out.getvalue()


def test_what_breaks_the_contract_is_told_under_its_line() -> None:
    out = io.StringIO()
    client = logged_client(LogFormat.TEXT, out)
    client.post(f"{BASE}/execution/streaming/start", json={"code": 5}, headers=HEADERS)
    client.get(f"{BASE}/execution/nowhere", headers=HEADERS)
    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert lines[1] == "breaks the contract: body.code: Input should be a valid string"
    assert lines[3] == "Execution not found"


@pytest.mark.parametrize(
    ("method", "path", "text", "told"),
    [
        (
            "POST",
            "/faults",
            '{"fault": "no_capacity"}',
            "fault:1:11: fault: there is no `no_capacity` here: did you mean",
        ),
        ("PUT", "/scenarios/foo", "timeline: []\n", "foo:1:11: timeline: "),
        ("PUT", "/scenarios/FOO", "timeline: [completed]\n", "FOO:1:1: "),
    ],
)
def test_a_text_that_is_refused_has_its_reason_under_its_line(method: str, path: str, text: str, told: str) -> None:
    out = io.StringIO()
    headers = HEADERS | {"content-type": "application/yaml"}
    answer = logged_client(LogFormat.TEXT, out).request(method, f"/_emulator{path}", content=text, headers=headers)
    first, second = out.getvalue().splitlines()
    assert " 400 " in first
    assert second.strip().startswith(told)
    assert second.strip() == answer.json()["detail"]


def test_of_many_mistakes_the_log_tells_the_first_and_their_number() -> None:
    out = io.StringIO()
    text = "timline: [completed]\nsumary: nothing\n"
    answer = logged_client(LogFormat.TEXT, out).put(
        "/_emulator/scenarios/foo", content=text, headers={"content-type": "application/yaml"}
    )
    told = answer.json()["detail"].splitlines()
    assert len(told) > 1
    assert out.getvalue().splitlines()[1].strip() == f"{told[0]} (and {len(told) - 1} more in the answer)"


def test_a_program_gets_one_json_object_a_line() -> None:
    out = io.StringIO()
    client = logged_client(LogFormat.JSON, out)
    client.get(f"{BASE}/execution/no%0Awhere", headers=HEADERS)
    (line,) = out.getvalue().splitlines()
    told = json.loads(line)
    assert (told["status_code"], told["operation_id"]) == (404, "get_execution")
    assert told["execution_id"] == "no?where"
    assert told["remarks"] == ["Execution not found"]


@pytest.mark.parametrize(("path", "colour"), [("/workloads/list", "\x1b[32m"), ("/nowhere", "\x1b[33m")])
def test_a_terminal_gets_colours(path: str, colour: str) -> None:
    out = Terminal()
    logged_client(LogFormat.TEXT, out).get(f"{BASE}{path}", headers=HEADERS)
    assert colour in out.getvalue()


def test_nothing_that_a_request_holds_reaches_the_terminal_as_a_control_character() -> None:
    out = io.StringIO()
    client = logged_client(LogFormat.TEXT, out)
    client.post(f"{BASE}/execution/streaming/start", json={"code": "pass", "evil\x1b[2J\n": 1}, headers=HEADERS)
    assert "\x1b" not in out.getvalue()
    assert "evil?[2J?" in out.getvalue()


def test_health_is_not_worth_a_line() -> None:
    out = io.StringIO()
    logged_client(LogFormat.TEXT, out).get("/_emulator/health")
    assert out.getvalue() == ""


def test_serve_logs_requests_unless_told_not_to() -> None:
    for arguments, lines in ([], 1), (["--no-access-log"], 0), (["--log-format", "json"], 1):
        with serving(*arguments) as server:
            httpx2.get(f"{server.url}/_emulator/clock")
            logged = server.logged()
        assert len(logged.splitlines()) == lines, logged


@pytest.mark.parametrize("failure", [BrokenPipeError(), OSError(errno.ENOSPC, "No space left on device")])
def test_what_takes_no_lines_any_more_is_left_alone(failure: OSError) -> None:
    class Closed(io.StringIO):
        tried = 0

        def write(self, _text: str) -> int:
            self.tried += 1
            raise failure

    out = Closed()
    client = logged_client(LogFormat.TEXT, out)
    answers = [client.get(f"{BASE}/workloads/list", headers=HEADERS).status_code for _ in range(3)]
    assert (answers, out.tried) == ([200, 200, 200], 1)


def test_a_mistake_in_the_log_is_no_closed_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be told of one request is our mistake: it is raised, and the next request has its line."""
    out = io.StringIO()
    client = logged_client(LogFormat.TEXT, out)
    with monkeypatch.context() as patched:
        patched.setattr(RequestLog, "_remarks", lambda *_: [None])
        with pytest.raises(TypeError):
            client.get(f"{BASE}/workloads/list", headers=HEADERS)
    client.get(f"{BASE}/user/org", headers=HEADERS)
    assert [line.rpartition("/")[2] for line in out.getvalue().splitlines()] == ["org"]


def test_a_long_text_is_cut_and_only_what_is_unprintable_is_replaced() -> None:
    assert _one_line("é" * 501) == "é" * 500
    assert _one_line("a\udcffb\tc") == "a?b?c"
