"""Who is told of every request: whatever happens to them, the client has its answer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from emulator.app import create_app, create_service
from emulator.server.call import Call
from emulator.server.handlers import HANDLERS
from emulator.tenants.journal import Exchange
from tests.api import BASE, KEY, MANUAL
from tests.process import COMMAND, STOP_LIMIT_S, environment

HEADERS = {"Authorization": f"Bearer {KEY}"}
PATH = f"{BASE}/machine-types"


def failing(mistake: Exception) -> Callable[[Exchange, Response], None]:
    def observe(_exchange: Exchange, _response: Response) -> None:
        raise mistake

    return observe


def test_a_mistake_of_an_observer_costs_no_answer_keeps_nobody_from_being_told_and_is_raised() -> None:
    service, told = create_service(clock=MANUAL), []
    service.observers += [failing(KeyError("slip")), lambda exchange, _response: told.append(exchange.status_code)]
    app = create_app(service)
    answer = TestClient(app, raise_server_exceptions=False).get(PATH, headers=HEADERS)
    assert (answer.status_code, "machine_types" in answer.json()) == (200, True)
    assert told == [200]
    with pytest.raises(KeyError, match="slip"):  # which the server logs with its traceback
        TestClient(app).get(PATH, headers=HEADERS)


def test_of_several_mistakes_over_one_request_all_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_call: Call) -> Response:
        raise KeyError("a handler's")

    monkeypatch.setitem(HANDLERS, "list_machine_types", broken)
    service = create_service(clock=MANUAL)
    service.observers.append(failing(ValueError("an observer's")))
    app = create_app(service)
    answer = TestClient(app, raise_server_exceptions=False).get(PATH, headers=HEADERS)
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal Server Error"})
    with pytest.raises(ExceptionGroup, match="mistakes over one request") as raised:
        TestClient(app).get(PATH, headers=HEADERS)
    assert [str(each) for each in raised.value.exceptions] == ['"a handler\'s"', "an observer's"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_server_answers_on_when_nobody_reads_its_stderr_any_more(log_format: str) -> None:
    """As `serve 2>&1 | head -1` leaves it."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stderr:

        def read_a_line() -> None:
            assert b"/machine-types" in stderr.readline()
            stderr.close()

        answers, exit_code = _answers_of_a_server_that_logs_to(writer, read_a_line, "--log-format", log_format)
    assert (answers, exit_code) == ([200, 200, 200, 200], 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_server_answers_on_when_the_disk_of_its_log_is_full() -> None:
    answers, exit_code = _answers_of_a_server_that_logs_to(os.open("/dev/full", os.O_WRONLY), lambda: None)
    assert (answers, exit_code) == ([200, 200, 200, 200], 0)


def _answers_of_a_server_that_logs_to(
    stderr: int, once_answered: Callable[[], object], *arguments: str
) -> tuple[list[int], int]:
    """The status codes of requests before and after `once_answered`, and the exit code."""
    with subprocess.Popen(
        [COMMAND, "serve", "--port", "0", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=environment(),
    ) as process:
        os.close(stderr)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            answers = [httpx2.get(f"{url}{PATH}", headers=HEADERS).status_code]
            once_answered()
            answers += [httpx2.get(f"{url}{PATH}", headers=HEADERS).status_code for _ in range(3)]
            process.terminate()
            return answers, process.wait(STOP_LIMIT_S)
        finally:
            process.kill()
