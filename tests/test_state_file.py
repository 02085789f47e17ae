"""`serve --state FILE`: the state outlives the process, whatever happens to that."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.responses import Response
from watchfiles import watch

from emulator import state_file
from emulator.app import create_service
from emulator.clock import START_MS, ClockMode, ClockSettings
from emulator.scenario.submission import Kind, Submission
from emulator.state_file import StateFile
from emulator.tenants.journal import Exchange
from tests.process import Server, refused, serving
from tests.receivers import PATIENCE_S, receiving

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


def test_a_second_server_is_refused_the_file_of_the_first(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with serving("--clock", "manual", "--state", state) as server:
        exit_code, stderr = refused("--port", "0", "--state", state)
        execution_id = start(server)
        pid = server.process.pid
    assert exit_code == 2
    assert stderr == (
        f"lyceum-emulator: another server keeps its state in {state}: process {pid} on {socket.gethostname()};"
        " stop that one, or give this one a file of its own with --state\n"
    )
    with serving("--state", state) as server:
        assert record(server, execution_id)["status"] == "pending"


def test_where_nothing_can_be_locked_it_is_told_and_the_state_is_kept_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".state.json.lock").mkdir()  # so that there is no such file, as on a file system that takes none
    state = tmp_path / "state.json"
    with serving("--state", state) as server:
        assert f"{state} cannot be locked (" in server.logged()
        execution_id = start(server)
    assert execution_id in state.read_text("utf-8")


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
    assert [(path.name, path.read_text("utf-8")) for path in tmp_path.iterdir()] == [("state.json", content)]


def test_a_place_that_cannot_be_written_to_is_told_at_the_start(tmp_path: Path) -> None:
    exit_code, stderr = refused("--port", "0", "--state", tmp_path / "nowhere" / "state.json")
    assert (exit_code, "cannot be written to" in stderr) == (2, True)


def test_what_became_of_a_callback_is_written_without_any_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed after it would tell the receiver a second time."""
    monkeypatch.setattr(state_file, "SAVE_AFTER_S", 0.0)
    path, really = tmp_path / "state.json", state_file._replace

    async def run(url: str) -> Any:
        service, written = create_service(clock=ClockSettings(ClockMode.MANUAL)), asyncio.Event()
        loop = asyncio.get_running_loop()
        kept = StateFile(path, service)

        def replace(path: Path, content: bytes) -> None:
            really(path, content)
            loop.call_soon_threadsafe(written.set)

        monkeypatch.setattr(state_file, "_replace", replace)
        kept.load()
        cloud = service.cloud
        tenant = cloud.tenant("lk_state_tests")
        cloud.submit(tenant, Submission(kind=Kind.PYTHON, hardware="cpu", callback_urls=(url,)), START_MS)
        service.courier.watch(tenant)
        cloud.clock.set(now_ms=START_MS + 3_600_000)
        async with asyncio.timeout(PATIENCE_S):
            attempted = service.courier.fallen_due(cloud.clock)
            assert attempted is not None
            await attempted
            await written.wait()
        await service.courier.stop()
        return json.loads(path.read_bytes())

    with receiving() as receiver:
        (tenant,) = asyncio.run(run(receiver.url))["tenants"].values()
    assert [each["state"] for each in tenant["runs"][0]["callbacks"].values()] == ["delivered"]


@pytest.mark.parametrize(
    ("method", "fault", "saved"),
    [("GET", None, False), ("POST", None, True), ("GET", "fault-1: unavailable, answered 503", True)],
)
def test_a_read_changes_nothing_unless_a_fault_has_hit_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, fault: str | None, saved: bool
) -> None:
    monkeypatch.setattr(state_file, "SAVE_AFTER_S", 0.0)

    async def answered() -> None:
        service = create_service()
        StateFile(tmp_path / "state.json", service)
        for observe in service.observers:
            observe(Exchange(method, "/", "", START_MS, fault=fault), Response())
        turned = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, turned.set)  # after what is due at once
        await turned.wait()

    asyncio.run(answered())
    assert (tmp_path / "state.json").exists() is saved


def test_one_byte_in_a_query_does_not_keep_the_state_from_its_file(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with serving("--clock", "manual", "--state", state) as server:
        url = f"{server.url}{BASE}/execution/streaming/start?%ff=1"
        execution_id = httpx2.post(url, json={"code": "pass"}, headers=AUTH).json()["execution_id"]
    with serving("--state", state) as server:
        assert record(server, execution_id)["status"] == "pending"
