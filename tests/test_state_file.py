"""`serve --state FILE`: the state outlives the process, whatever happens to that."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from watchfiles import watch

from tests.process import Server, refused, serving

AUTH = {"Authorization": "Bearer lk_state_tests"}
BASE = "/api/v2/external"


def start(server: Server) -> str:
    answer = httpx2.post(f"{server.url}{BASE}/execution/streaming/start", json={"code": "pass"}, headers=AUTH)
    return str(answer.json()["execution_id"])


def record(server: Server, execution_id: str) -> Any:
    answer = httpx2.get(f"{server.url}{BASE}/execution/{execution_id}", headers=AUTH)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_server_that_is_started_again_goes_on_where_it_stopped(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with serving("--clock", "manual", "--state", state) as server:
        execution_id = start(server)
        httpx2.post(f"{server.url}/_emulator/clock/advance", json={"by": "5s"}, headers=AUTH)
        before = record(server, execution_id)
    with serving("--state", state) as server:
        assert record(server, execution_id) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json"]


def test_the_banner_tells_the_restored_clock_and_what_was_restored(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with serving("--clock", "manual", "--state", state) as server:
        assert "state" not in banner(server, 3)
        start(server)
    with serving("--clock", "real", "--speed", "10", "--state", state) as server:
        told = banner(server, 4)
    assert told["clock"].startswith("manual: ")
    assert told["state"] == f"{state}: 1 run of 1 tenant restored; its clock comes before --clock"


def banner(server: Server, lines: int) -> dict[str, str]:
    """The next lines of what it prints at its start, by their labels."""
    assert server.process.stdout is not None
    rows = [server.process.stdout.readline().split(":", 1) for _ in range(lines)]
    return {label.strip(): text.strip() for label, text in rows}


def test_a_server_that_is_killed_leaves_the_last_state_it_wrote(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    kept: list[str] = []
    with pytest.raises(AssertionError, match="-9"):
        _serve_until_killed(state, kept)
    (execution_id,) = kept
    json.loads(state.read_bytes())
    with serving("--state", state) as server:
        assert record(server, execution_id)["status"] == "pending"


def _serve_until_killed(state: Path, kept: list[str]) -> None:
    """Put the id of a run that was written into `kept`, and be killed in the middle of more."""
    with serving("--clock", "manual", "--state", state) as server:
        kept.append(start(server))
        _await_content(state, kept[0])
        for _ in range(50):
            start(server)
        server.process.send_signal(signal.SIGKILL)


def _await_content(path: Path, text: str) -> None:
    """Wait until the server has written `text`."""
    for _ in watch(path.parent, debounce=50, rust_timeout=1_000, yield_on_timeout=True):
        if path.exists() and text in path.read_text("utf-8"):
            return


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "line 1, column 1"),
        ('{"version": 1,', "line 1"),
        ("[]", "snapshot: Input should be a valid dictionary"),
        ('{"version": 99, "emulator": "9", "tenants": {}, "scenarios": {}}', "version"),
        ('{"version": 1, "emulator": "0.1.0", "tenants": {}, "scenarios": {}}', "one tenant"),
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, content: str, told: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(content, "utf-8")
    exit_code, stderr = refused("--port", "0", "--state", state)
    assert exit_code == 2
    assert "holds no state that can be restored" in stderr
    assert told in stderr
    assert state.read_text("utf-8") == content


def test_a_place_that_cannot_be_written_to_is_told_at_the_start(tmp_path: Path) -> None:
    exit_code, stderr = refused("--port", "0", "--state", tmp_path / "nowhere" / "state.json")
    assert (exit_code, "cannot be written to" in stderr) == (2, True)
