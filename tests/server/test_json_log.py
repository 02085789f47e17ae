"""`--log-format json`: every line of the log is a JSON object, whoever wrote it."""

import json
import logging
import sys
import time
from pathlib import Path

import pytest

from emulator.server.json_log import JsonLines
from tests.process import serving
from tests.test_serve import call


def test_requests_and_warnings_are_json_lines_alike(tmp_path: Path) -> None:
    with serving("--log-format", "json", "--scenarios", tmp_path) as server:
        call(server, "GET", "/api/v2/external/user/org")
        (tmp_path / "mine.yaml").write_text("timeline: [{running: 5}]\nhardware: tpu\n", encoding="utf-8")
        deadline = time.monotonic() + 20
        while "never was valid" not in server.logged():
            call(server, "GET", "/_emulator/health", key=None)
            assert time.monotonic() < deadline
        lines = [json.loads(line) for line in server.logged().splitlines()]
    assert any(line.get("operation_id") for line in lines)
    (warning,) = (line for line in lines if line.get("logger") == "emulator.server.watcher")
    assert warning.keys() == {"time", "level", "logger", "message"}
    assert (warning["level"], warning["message"].count("\n")) == ("WARNING", 2)


def test_a_traceback_stays_in_its_line() -> None:
    try:
        raise ValueError("broken \udcff")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "it %s", ("broke",), sys.exc_info())
    record.created = 1_767_225_600.0625
    line = JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("exception").startswith("Traceback")
    assert told == {"time": "2026-01-01T00:00:00.062Z", "level": "ERROR", "logger": "x", "message": "it broke"}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_level_above_warning_keeps_the_watcher_silent(tmp_path: Path, log_format: str) -> None:
    with serving(
        "--log-level", "error", "--no-access-log", "--log-format", log_format, "--scenarios", tmp_path
    ) as server:
        call(server, "GET", "/_emulator/health", key=None)  # once it answers, it watches
        (tmp_path / "mine.yaml").write_text("timeline: [{running: 5s}]\n", encoding="utf-8")
        deadline = time.monotonic() + 20
        while "mine" not in {row["name"] for row in call(server, "GET", "/_emulator/scenarios")["scenarios"]}:
            assert time.monotonic() < deadline
        assert server.logged() == ""
