"""Writing snapshots: of one instant, and whatever texts a server was given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from emulator.app import create_app, create_service
from emulator.clock import START_MS
from emulator.faults.standing import Standing
from emulator.runs.callbacks import deliveries
from emulator.scenario.library import Library
from emulator.scenario.model import Scenario
from emulator.scenario.submission import Kind, Submission
from emulator.server.service import Service
from emulator.snapshot.reading import read_server
from emulator.snapshot.state import restore_server
from emulator.snapshot.writing import Snapshot, snapshot_of
from emulator.tenants.cloud import Cloud
from emulator.tenants.outbox import Notice, NoticeState
from emulator.tenants.tenant import Tenant
from tests.api import BASE, KEY, MANUAL

HEADERS = {"Authorization": f"Bearer {KEY}"}
START = f"{BASE}/execution/streaming/start"
NO_TEXT = "%ff%ed%a0%80"


def client_of(service: Service) -> TestClient:
    return TestClient(create_app(service), headers=HEADERS)


def read_back(client: TestClient) -> dict[str, Any]:
    """A snapshot of the tenant, which has to be restored as it is."""
    answer = client.get("/_emulator/snapshot")
    assert answer.status_code == 200
    taken: dict[str, Any] = answer.json()
    again = client_of(create_service(clock=MANUAL))
    assert again.put("/_emulator/snapshot", json=taken).status_code == 200
    assert again.get("/_emulator/snapshot").json() == taken
    return taken


def test_a_field_whose_name_is_no_text_is_told_as_far_as_it_is_text() -> None:
    client = client_of(create_service(clock=MANUAL))
    answer = client.post(f"{START}?{NO_TEXT}name=1", json={"code": "pass"})
    assert answer.status_code == 200
    told = ["query.????name: not in the contract of start_python_execution"]
    (run,) = client.get("/_emulator/runs").json()["runs"]
    assert run["warnings"] == told
    (tenant,) = read_back(client)["tenants"].values()
    assert tenant["runs"][0]["warnings"] == told


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        (f"{START}?{NO_TEXT}={NO_TEXT}", {}, {"code": "pass"}),
        (START, {b"X-Emulator-Mode": b"\xed\xa0\x80", b"X-Emulator-Scenario": b"\xff"}, {"code": "pass"}),
        (START, {}, b'{"code": "pass", "metadata": {"\xff": "1"}}'),
        (START, {}, b'{"code": "pass", "metadata": {"emulator.x\\ud800": "\\udfff"}}'),
        (START, {}, b'{"code": "pass", "file_name": "\xff", "run_name": "\\ud800"}'),
        (START, {}, {"code": "pass", "import_files": '{"a\\ud800.py": "1"}'}),
        (f"{BASE}/execution/compose/start", {}, {"compose_file_code": 'services: {a: {image: "\\ud800"}}'}),
        (f"{BASE}/execution/image/start", {}, b'{"docker_image_ref": "a", "docker_run_env": "\\ud800=1"}'),
        (f"{BASE}/workloads/abort/{NO_TEXT}", {}, None),
        (f"{BASE}/{NO_TEXT}", {}, None),
        (f"/_emulator/queue?{NO_TEXT}", {}, {"scenario": "oom"}),
        ("/_emulator/queue", {}, b'{"scenario": "oom", "match": {"code": "\\ud800"}}'),
        ("/_emulator/faults", {}, b'{"operation": "get_execution", "fault": "unavailable", "detail": "\\ud800"}'),
        (f"/_emulator/runs/{NO_TEXT}/transition", {}, {"to": "failed", "detail": "a"}),
    ],
)
def test_whatever_bytes_a_request_holds_the_state_can_be_written(path: str, headers: Any, body: Any) -> None:
    client = client_of(create_service(clock=MANUAL))
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    client.post(path, content=content, headers=list(({b"Content-Type": b"application/json"} | headers).items()))
    client.post(START, json={"code": "pass"})
    for control in ("/runs", "/queue", "/faults", "/requests"):
        assert client.get(f"/_emulator{control}").status_code == 200
    read_back(client)


def test_a_directory_of_scenarios_may_be_called_by_any_bytes(tmp_path: Path) -> None:
    directory = tmp_path / os.fsdecode(b"sc\xff")
    directory.mkdir()
    (directory / "mine.yaml").write_text("timeline: [{running: 1s}]\n", "utf-8")
    client = client_of(create_service(scenario_directories=(directory,), default_scenario="mine", clock=MANUAL))
    client.post(START, json={"code": "pass"})
    (found,) = [each for each in client.get("/_emulator/scenarios").json()["scenarios"] if each["name"] == "mine"]
    assert found["source"] == f"{tmp_path}/sc?/mine.yaml"
    assert client.get("/_emulator/scenarios/mine").json()["source"] == found["source"]
    taken = client.get("/_emulator/snapshot").json()
    assert [[file["source"] for file in files] for files in taken["scenarios"].values()] == [[found["source"]]]


def filled() -> tuple[Cloud, Tenant]:
    """Two plain runs, one with callbacks and one whose scenario has faults."""
    cloud = create_service(clock=MANUAL).cloud
    tenant = cloud.tenant(KEY)
    plain = Submission(kind=Kind.PYTHON, hardware="cpu", code="pass")
    for _ in range(2):
        cloud.submit(tenant, plain, START_MS)
    urls = ("http://127.0.0.1:9/a", "http://127.0.0.1:9/b")
    cloud.submit(tenant, Submission(kind=Kind.PYTHON, hardware="cpu", callback_urls=urls), START_MS)
    cloud.submit(tenant, plain, START_MS, named="flaky-api")
    return cloud, tenant


def test_a_snapshot_is_of_the_instant_at_which_it_was_taken_however_late_it_is_encoded() -> None:
    cloud, tenant = filled()
    for notice in tenant.outbox.fall_due(START_MS + 3_600_000)[:1]:
        tenant.outbox.close(notice, NoticeState.DELIVERED, None)
    taken = snapshot_of(cloud)
    before = taken.encoded()
    oldest, *_, with_callbacks, flaky = reversed(list(tenant.newest_first()))
    tenant.abort(oldest.execution_id, START_MS)
    standing: Standing = tenant.faults_of(flaky)[0]
    standing.tally.met += 7
    for notice in tenant.outbox.of(with_callbacks):
        tenant.outbox.close(notice, NoticeState.FAILED, "later")
    cloud.submit(tenant, oldest.submission, START_MS)
    assert taken.encoded() == before
    assert snapshot_of(cloud).encoded() != before


def test_what_is_no_state_is_refused_with_its_type() -> None:
    cloud, _ = filled()
    taken = snapshot_of(cloud)
    with pytest.raises(orjson.JSONEncodeError) as raised:
        Snapshot(taken.document | {"slip": object()}, taken.scenarios).encoded()
    assert str(raised.value.__cause__) == "a snapshot holds no object"


def test_a_restore_composes_what_was_added_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud, _ = filled()
    for number in range(5):
        library = cloud.library
        cloud.library = library.with_added(
            library.read(f"timeline: [{{running: {number + 1}s}}]", name=f"own{number}", source="control API")
        )
    state = read_server(orjson.loads(snapshot_of(cloud).encoded()))
    composed: list[int] = []
    really = Library.having_added

    def having_added(self: Library, added: Sequence[Scenario]) -> Library:
        composed.append(len(added))
        return really(self, added)

    monkeypatch.setattr(Library, "having_added", having_added)
    other = create_service(clock=MANUAL).cloud
    restore_server(other, state)
    assert [number for number in composed if number] == [5]
    assert [each.name for each in other.library.added] == [f"own{number}" for number in range(5)]


def test_a_restored_outbox_knows_what_is_settled_and_owes_the_rest() -> None:
    cloud, tenant = filled()
    for notice in tenant.outbox.fall_due(START_MS + 3_600_000)[:1]:
        tenant.outbox.close(notice, NoticeState.DELIVERED, None)
    other = create_service(clock=MANUAL).cloud
    restore_server(other, read_server(orjson.loads(snapshot_of(cloud).encoded())))
    restored = other.tenant(KEY)
    assert urls(restored.outbox.fall_due(START_MS + 3_600_000)) == ["http://127.0.0.1:9/b"]
    run = next(run for run in restored.newest_first() if deliveries(run))
    assert [each.state for each in restored.outbox.of(run)] == [NoticeState.DELIVERED, NoticeState.WAITING]


def urls(notices: list[Notice]) -> list[str]:
    return [notice.delivery.url for notice in notices]
