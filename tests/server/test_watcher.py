"""Scenario files that are edited while the server runs."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app, create_service
from emulator.server.settings import Settings
from emulator.server.watcher import Watcher
from emulator.tenants.cloud import Cloud
from tests.api import Api
from tests.process import serving
from tests.test_serve import call

GOOD = "summary: {}\ntimeline: [{{running: 5s}}, completed]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "mine.yaml"
    written.write_text(GOOD.format("first"), encoding="utf-8")
    return written


@pytest.fixture
def cloud(file: Path) -> Cloud:
    return create_service(scenario_directories=[file.parent]).cloud


def test_an_edited_file_takes_effect(cloud: Cloud, file: Path) -> None:
    file.write_text(GOOD.format("second"), encoding="utf-8")
    Watcher(cloud, [file.parent]).reload()
    assert cloud.library.get("mine").summary == "second"


def test_a_new_file_joins_and_a_removed_one_leaves(cloud: Cloud, file: Path) -> None:
    (file.parent / "other.yaml").write_text(GOOD.format("other"), encoding="utf-8")
    file.unlink()
    Watcher(cloud, [file.parent]).reload()
    assert cloud.library.find("mine") is None
    assert cloud.library.get("other").summary == "other"


def test_an_invalid_file_keeps_its_last_valid_version_and_is_told_once(
    cloud: Cloud, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = Watcher(cloud, [file.parent])
    file.write_text("timeline: [{running: 5}]\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        watcher.reload()
        watcher.reload()
    assert cloud.library.get("mine").summary == "first"
    (told,) = caplog.messages
    assert f"{file}:1:" in told
    assert "`5s`" in told
    caplog.clear()
    file.write_text(GOOD.format("third"), encoding="utf-8")
    watcher.reload()
    assert cloud.library.get("mine").summary == "third"
    assert caplog.messages == [f"{file} is valid again"]


def test_a_new_file_that_is_invalid_has_no_valid_version_until_it_is_mended(
    cloud: Cloud, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = Watcher(cloud, [file.parent])
    other = file.with_name("other.yaml")
    other.write_text("timeline: [{running: 5}]\n", encoding="utf-8")
    watcher.reload()
    (told,) = caplog.messages
    assert told.startswith("it never was valid, so nothing of it is in force:\n")
    assert f"{other}:1:" in told
    other.write_text(GOOD.format("other"), encoding="utf-8")
    watcher.reload()
    assert caplog.messages[1:] == [f"{other} took effect"]


def test_a_file_that_never_was_valid_is_listed_and_explained_to_whoever_asks_for_it(file: Path) -> None:
    service = create_service(Settings(self_check=True), scenario_directories=[file.parent])
    assert service.self_check is not None
    api = Api(TestClient(create_app(service)), service.self_check)
    other = file.with_name("other.yaml")
    other.write_text("timeline: [{running: 5}]\nsed: 1\n", encoding="utf-8")
    watcher = Watcher(service.cloud, [file.parent])
    watcher.reload()
    listed = api.control("GET", "/scenarios")
    assert "other" not in {row["name"] for row in listed["scenarios"]}
    ((source, problems),) = [(row["source"], row["problems"]) for row in listed["invalid"]]
    assert source == str(other)
    assert [(each["path"], each["line"], each["column"], each["message"]) for each in problems] == [
        ("timeline[0].running", 1, 22, "`5` has no unit: write `5s` or `5m`"),
        ("", 2, 1, "there is no key `sed` here: did you mean `seed`?"),
    ]
    asked = api.request("GET", "/_emulator/scenarios/other")
    assert (asked.status_code, asked.json()["detail"]) == (
        404,
        "the scenario `other` is not in force, since its file is invalid:"
        f" {other}:1:22: timeline[0].running: `5` has no unit: write `5s` or `5m`",
    )
    other.write_text(GOOD.format("other"), encoding="utf-8")
    watcher.reload()
    assert api.control("GET", "/scenarios")["invalid"] == []


def test_a_newer_version_is_read_whole_though_an_older_one_serves(
    cloud: Cloud, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("extends: nowhere\nsed: 1\n", encoding="utf-8")
    Watcher(cloud, [file.parent]).reload()
    assert cloud.library.get("mine").summary == "first"
    assert [line.split(":", 3)[3] for line in caplog.text.splitlines() if f"{file}:" in line][1:] == [
        " there is no key `sed` here: did you mean `seed`?"
    ]
    assert "extends: there is no scenario `nowhere`" in caplog.text


def test_an_invalid_file_that_is_deleted_is_gone(cloud: Cloud, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    watcher = Watcher(cloud, [file.parent])
    for path in (file, file.with_name("other.yaml")):
        path.write_text("timeline: [{running: 5}]\n", encoding="utf-8")
        watcher.reload()
        caplog.clear()
        path.unlink()
        watcher.reload()
        assert caplog.messages == [f"{path} is gone"]


def test_a_valid_edit_is_told_and_a_file_that_is_the_same_is_not(
    cloud: Cloud, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = Watcher(cloud, [file.parent])
    watcher.reload()
    assert caplog.messages == []
    file.write_text(GOOD.format("second"), encoding="utf-8")
    watcher.reload()
    watcher.reload()
    assert caplog.messages == [f"{file} took effect"]
    file.unlink()
    watcher.reload()
    assert caplog.messages[1:] == [f"{file} is gone"]


def test_a_directory_that_is_gone_leaves_everything_in_force(
    cloud: Cloud, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.unlink()
    file.parent.rmdir()
    Watcher(cloud, [file.parent]).reload()
    assert cloud.library.get("mine").summary == "first"
    assert "stay as they are" in caplog.text
    file.parent.mkdir()  # pytest wants to find it


def test_a_running_server_sees_the_edit_without_a_restart(file: Path) -> None:
    with serving("--scenarios", file.parent) as server:

        def listed() -> dict[str, object]:
            rows = call(server, "GET", "/_emulator/scenarios", key=None)["scenarios"]
            return next(row for row in rows if row["name"] == "mine")

        assert listed()["summary"] == "first"
        deadline = time.monotonic() + 20
        file.write_text("timeline: [{running: 5}]\n", encoding="utf-8")
        while not listed()["problems"]:
            assert time.monotonic() < deadline
        assert listed()["summary"] == "first"
        file.write_text(GOOD.format("second"), encoding="utf-8")
        while listed()["summary"] != "second":
            assert time.monotonic() < deadline
        assert listed()["problems"] == []
