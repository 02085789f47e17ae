"""Saving the state: in a thread, in order, and loudly where it fails."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import threading
from pathlib import Path

import pytest
from starlette.responses import Response

from emulator import state_file
from emulator.app import create_service
from emulator.clock import START_MS, ClockMode, ClockSettings
from emulator.scenario.submission import Kind, Submission
from emulator.state_file import StateFile
from emulator.tenants.journal import Exchange
from tests.receivers import PATIENCE_S


class Kept:
    """A state file in a loop of its own, that says what was written to it and lets a test hold up or break the disk."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(state_file, "SAVE_AFTER_S", 0.0)
        monkeypatch.setattr(state_file, "_SHARE_OF_TIME", 0)
        monkeypatch.setattr(state_file, "_replace", self._replace)
        self.service = create_service(clock=ClockSettings(ClockMode.MANUAL))
        self.file = StateFile(path, self.service)
        self.file.load()
        self.written: list[int] = []
        self.threads: set[int] = set()
        self.tried = asyncio.Event()
        self.failing: list[OSError] = []
        self.gate = threading.Event()
        self.gate.set()
        self._loop = asyncio.get_running_loop()

    def _replace(self, _path: Path, content: bytes) -> None:
        """In the thread that writes."""
        self.threads.add(threading.get_ident())
        self._loop.call_soon_threadsafe(self.tried.set)
        assert self.gate.wait(PATIENCE_S)
        if self.failing:
            raise self.failing.pop()
        tenants = json.loads(content)["tenants"].values()
        self.written.append(sum(len(tenant["runs"]) for tenant in tenants))

    def submit(self, *, warnings: tuple[str, ...] = ()) -> None:
        """What a submission by HTTP does, as far as the file sees it."""
        cloud = self.service.cloud
        run = Submission(kind=Kind.PYTHON, hardware="cpu")
        cloud.submit(cloud.tenant("lk_state_tests"), run, START_MS, warnings=warnings)
        for observe in self.service.observers:
            observe(Exchange("POST", "/", "", START_MS), Response())

    async def try_to_write(self) -> None:
        """Wait until the next write is under way."""
        self.tried.clear()
        await asyncio.wait_for(self.tried.wait(), PATIENCE_S)


def test_the_loop_goes_on_while_the_disk_is_slow_and_what_changes_meanwhile_is_written_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        kept = Kept(tmp_path / "state.json", monkeypatch)
        kept.gate.clear()
        kept.submit()
        await kept.try_to_write()
        kept.submit()  # the loop is free for that
        kept.submit()
        kept.gate.set()
        await kept.try_to_write()
        await kept.file.stop()
        assert kept.written[:2] == [1, 3]
        assert threading.get_ident() not in kept.threads

    asyncio.run(run())


def test_the_last_state_comes_after_the_one_that_is_being_written_at_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        kept = Kept(tmp_path / "state.json", monkeypatch)
        kept.gate.clear()
        kept.submit()
        await kept.try_to_write()
        kept.submit()
        stopping = asyncio.create_task(kept.file.stop())
        await asyncio.sleep(0)  # let it begin
        kept.gate.set()
        await asyncio.wait_for(stopping, PATIENCE_S)
        assert kept.written == [1, 2]
        StateFile(tmp_path / "state.json", kept.service).load()  # nothing holds the lock any more

    asyncio.run(run())


def test_a_write_that_fails_is_logged_and_tried_again_without_another_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        kept = Kept(tmp_path / "state.json", monkeypatch)
        kept.failing = [OSError(errno.ENOSPC, "No space left on device")]
        kept.submit()
        await kept.try_to_write()
        await kept.try_to_write()
        await kept.file.stop()
        assert kept.written[0] == 1

    asyncio.run(run())
    assert [record.getMessage() for record in caplog.records] == [
        f"the state could not be written to {tmp_path / 'state.json'}: No space left on device; the last one stays"
    ]


def test_a_state_that_is_no_json_is_told_with_its_traceback_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Which would be a mistake of ours: nothing that a request holds may bring it about."""

    async def run() -> None:
        kept = Kept(tmp_path / "state.json", monkeypatch)
        kept.submit(warnings=("half of a pair: \udcff",))
        logged = asyncio.Event()

        def note(_record: logging.LogRecord) -> bool:
            logged.set()
            return True

        caplog.handler.addFilter(note)
        await asyncio.wait_for(logged.wait(), PATIENCE_S)
        kept.service.cloud.tenant("lk_state_tests").reset()
        await kept.try_to_write()
        await kept.file.stop()
        assert kept.written[0] == 0

    asyncio.run(run())
    told = caplog.records[0]
    assert told.exc_info is not None
    assert told.getMessage().startswith("the state cannot be written as JSON (")


def test_a_last_write_that_fails_is_logged_and_lets_go_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        kept = Kept(tmp_path / "state.json", monkeypatch)
        kept.failing = [OSError(errno.ENOSPC, "No space left on device")]
        await kept.file.stop()
        StateFile(tmp_path / "state.json", kept.service).load()

    asyncio.run(run())
    assert "the last one stays" in caplog.text
