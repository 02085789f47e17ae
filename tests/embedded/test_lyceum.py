"""The handle: what a test can do to its tenant, and see of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import pytest
from numpy.typing import NDArray

from emulator import ControlRefused, Emulator, Lyceum, RunView
from emulator.embedded.report import evidence, sections
from tests.clients.official import VERSIONS, OfficialClient

START = "/execution/streaming/start"
SHORT: Mapping[str, Any] = {"timeline": [{"running": "2s"}, {"failed": {"return_code": 3}}]}


def submit(tenant: Lyceum, **body: Any) -> str:
    with tenant.client() as client:
        answer = client.post(START, json={"code": "pass"} | body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["execution_id"])


# The clock.


def test_the_clock_moves_as_told(tenant: Lyceum) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert (tenant.clock.now, tenant.clock.mode) == (begin, "manual")
    assert tenant.clock.advance("1m30s") == begin + timedelta(seconds=90)
    assert tenant.clock.advance(timedelta(milliseconds=500)) == begin + timedelta(seconds=90.5)
    assert tenant.clock.to("2026-01-01T12:00:00Z") == begin + timedelta(hours=12)
    assert tenant.clock.to(begin + timedelta(days=1)) == begin + timedelta(days=1)
    assert tenant.clock.now == begin + timedelta(days=1)


def test_the_clock_goes_to_a_status_of_a_run(tenant: Lyceum) -> None:
    execution_id = submit(tenant)
    assert tenant.clock.until(execution_id, "running") == tenant.run(execution_id).transitions[-1].at
    tenant.clock.until(execution_id)
    assert tenant.run(execution_id).status == "completed"


def test_what_the_clock_cannot_do_is_said_in_the_emulators_words(tenant: Lyceum) -> None:
    execution_id = submit(tenant)
    tenant.clock.until(execution_id)
    with pytest.raises(ControlRefused, match=r"^the run is completed at .* and will not become running: it is behind"):
        tenant.clock.until(execution_id, "running")
    with pytest.raises(ControlRefused, match=r"^time does not go back") as refused:
        tenant.clock.to("2026-01-01T00:00:00Z")
    assert refused.value.status_code == 409
    with pytest.raises(ControlRefused) as refused:
        tenant.clock.advance("five minutes")
    assert refused.value.status_code == 422
    with pytest.raises(ValueError, match=r"^2026-01-01T00:00:00 has no time zone"):
        tenant.clock.to(datetime(2026, 1, 1))  # noqa: DTZ001  the mistake that is meant


def test_the_clock_can_move_with_requests_or_by_itself(tenant: Lyceum) -> None:
    tenant.clock.per_request("10s")
    submit(tenant)
    submit(tenant)
    assert tenant.clock.now == datetime(2026, 1, 1, 0, 0, 20, tzinfo=UTC)
    tenant.clock.real(speed=1_000_000)
    first = tenant.clock.now
    while tenant.clock.now == first:
        pass
    tenant.clock.manual()
    assert tenant.clock.now == tenant.clock.now


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_its_awaitable_twins_do_the_same(tenant: Lyceum, backend: str) -> None:
    import anyio

    async def move() -> datetime:
        await tenant.clock.advance_async("1m")
        await tenant.clock.until_async(execution_id, "terminal")
        return await tenant.clock.to_async("2026-01-01T01:00:00Z")

    execution_id = submit(tenant)
    assert anyio.run(move, backend=backend) == tenant.clock.now == datetime(2026, 1, 1, 1, tzinfo=UTC)


# Scenarios.


def test_a_scenario_is_given_by_name_as_often_as_said(tenant: Lyceum) -> None:
    assert tenant.scenario("failed", times=2) == "failed"
    for _ in range(3):
        submit(tenant)
    assert [run.scenario for run in tenant.runs] == ["failed", "failed", "completed"]


def test_a_scenario_waits_for_the_submission_that_it_is_for(tenant: Lyceum) -> None:
    tenant.scenario("failed", match={"file_name": "train-*.py"})
    submit(tenant, file_name="other.py")
    submit(tenant, file_name="train-it.py")
    assert [run.scenario for run in tenant.runs] == ["completed", "failed"]
    assert [(miss.scenario, miss.failed) for miss in tenant.runs[0].chosen_by.near_misses] == [
        ("failed", ("file_name: wants `train-*.py`, found `other.py`",))
    ]


def test_a_scenario_can_be_a_dict_yaml_or_a_file(tenant: Lyceum, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("timeline: [{running: 4s}, completed]\n", "utf-8")
    names = [
        tenant.scenario(SHORT),
        tenant.scenario("timeline: [{running: 3s}, completed]"),
        tenant.scenario(path),
        tenant.scenario(str(path)),
    ]
    for _ in names:
        submit(tenant)
    assert [run.scenario for run in tenant.runs] == names
    assert [run.script.stages[-1].duration_s for run in tenant.runs] == [2, 3, 4, 4]
    assert tenant.runs[0].script.ending is not None
    assert tenant.runs[0].script.ending.return_code == 3
    assert names[2].startswith("mine-")


def test_a_file_may_be_called_like_a_built_in_scenario(tenant: Lyceum, tmp_path: Path) -> None:
    path = tmp_path / "oom.yaml"
    path.write_text(json.dumps(SHORT), "utf-8")
    tenant.scenario(path)
    assert tenant.run(submit(tenant)).script.stages[-1].duration_s == 2


def test_a_mistake_in_a_scenario_is_told_where_it_is_given(tenant: Lyceum) -> None:
    with pytest.raises(ControlRefused, match=r"timeline\[0\]\.running: `2` has no unit") as refused:
        tenant.scenario({"timeline": [{"running": 2}, "completed"]})
    assert refused.value.status_code == 400
    with pytest.raises(ControlRefused, match="oom") as unknown:
        tenant.scenario("oomm")
    assert unknown.value.status_code == 404


def test_a_standing_scenario_gives_way_to_those_that_are_queued(tenant: Lyceum) -> None:
    tenant.always("failed")
    tenant.scenario("oom")
    tenant.scenario("silent", match={"file_name": "a.py"})
    for _ in range(3):
        submit(tenant)
    submit(tenant, file_name="a.py")
    tenant.always(SHORT)
    submit(tenant)
    found = [run.scenario for run in tenant.runs]
    assert found[:4] == ["oom", "failed", "failed", "silent"]
    assert found[4].startswith("inline-")
    with pytest.raises(ControlRefused):
        tenant.always("oomm")
    assert tenant.run(submit(tenant)).scenario == found[4]


def test_a_reset_forgets_the_standing_scenario(tenant: Lyceum) -> None:
    tenant.always("failed")
    tenant.reset()
    tenant.scenario("oom")
    submit(tenant)
    submit(tenant)
    assert [run.scenario for run in tenant.runs] == ["oom", "completed"]


def test_a_standing_scenario_is_known_after_a_snapshot_was_restored(tenant: Lyceum) -> None:
    empty = tenant.snapshot()
    tenant.always("failed")
    standing = tenant.snapshot()
    tenant.restore(empty)
    tenant.scenario("oom")
    assert [entry["scenario"] for entry in tenant.control("GET", "/queue")["queue"]] == ["oom"]
    tenant.reset()
    tenant.restore(standing)
    tenant.scenario("oom")
    tenant.always("silent")
    assert [entry["scenario"] for entry in tenant.control("GET", "/queue")["queue"]] == ["oom", "silent"]


# Runs and requests.


def test_a_run_shows_what_is_behind_it(tenant: Lyceum) -> None:
    execution_id = submit(tenant, execution_type="gpu.a100", file_name="train.py")
    run = tenant.run(execution_id)
    assert (run.execution_id, run.kind, run.status, run.hardware_profile) == (
        execution_id,
        "python",
        "pending",
        "gpu.a100",
    )
    assert (run.scenario, run.chosen_by.rule, run.submission["file_name"]) == ("completed", "default", "train.py")
    tenant.clock.until(execution_id)
    run = tenant.run(execution_id)
    assert run.statuses == ("pending", "starting", "running", "completed")
    assert run.transitions[0].at == run.submitted_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert tenant.runs == (run,)
    assert [stage.status for stage in run.script.stages] == ["pending", "starting", "running"]
    assert run.json["execution_id"] == execution_id


def test_types_are_known(tenant: Lyceum) -> None:
    """What the type checker holds to be true of these, in every check of this project."""
    execution_id = submit(tenant)
    assert_type(tenant.clock.until(execution_id, "running"), datetime)
    assert_type(tenant.run(execution_id), RunView)
    assert_type(tenant.run(execution_id).metrics()["gpuPowerWatt"].values, NDArray[np.float64])
    with pytest.raises(ControlRefused):
        tenant.clock.until(execution_id, "runnin")  # type: ignore[arg-type]  # has to be refused there, too


def test_metrics_are_arrays_and_reading_them_leaves_no_trace(tenant: Lyceum) -> None:
    tenant.scenario("oom")
    execution_id = submit(tenant)
    tenant.clock.until(execution_id, "failed")
    asked = len(tenant.requests())
    series = tenant.run(execution_id).metrics(step="1s")
    assert len(series) == 12
    power = series["gpuPowerWatt"]
    assert (power.values.dtype.name, len(power), len(power.times)) == ("float64", 241, 241)
    assert set(np.diff(power.times)) == {np.timedelta64(1000, "ms")}
    start = tenant.run(execution_id).transitions[2].at
    window = tenant.run(execution_id).metrics(step=timedelta(seconds=1), start=start, end=start + timedelta(seconds=9))
    assert window["gpuPowerWatt"].values.tolist() == power.values[:10].tolist()
    assert len(tenant.requests()) == asked


def test_requests_are_found_by_operation_status_and_run(tenant: Lyceum) -> None:
    execution_id = submit(tenant)
    with tenant.client() as client:
        client.get(f"/execution/{execution_id}")
        client.get("/execution/9d73319c-6f1c-4b4c-90e4-044244353ce4")
    everything = tenant.requests()
    assert [each.operation_id for each in everything] == ["start_python_execution", "get_execution", "get_execution"]
    assert [each.number for each in everything] == sorted(each.number for each in everything)
    assert tenant.requests(operation_id="get_execution", status=404) == everything[2:]
    assert tenant.requests(execution_id=execution_id) == everything[:2]
    assert tenant.requests(limit=1) == everything[2:]
    assert everything[0].body == {"code": "pass"}
    assert str(everything[2]).endswith("(get_execution) -> 404")
    assert tenant.violations == ()


def test_violations_say_where_the_contract_was_broken(tenant: Lyceum) -> None:
    with tenant.client() as client:
        client.post(START, json={"code": 3, "file_nam": "a.py"})
        client.get("/no/such/path")
    assert [str(each).rpartition("/")[2] for each in tenant.violations] == [
        "start (start_python_execution) -> 422: body.code: Input should be a valid string",
        "path (no operation) -> 404: path: there is no such path in the contract",
    ]


def test_a_strict_tenant_counts_what_goes_beyond_the_contract(running: Emulator) -> None:
    for strict, count in ((False, 0), (True, 1)):
        with running.tenant("strict or not", strict=strict) as tenant:
            submit(tenant, file_nam="a.py")
            assert len(tenant.violations) == count


def test_a_fault_makes_answers_bad(tenant: Lyceum) -> None:
    tenant.fault("unavailable", times=1)
    with tenant.client() as client:
        assert [client.get("/user/quotas/available-hardware").status_code for _ in range(2)] == [503, 200]
    with pytest.raises(ControlRefused, match="unavailable"):
        tenant.fault("unavailible")


def test_any_control_call_can_be_made(tenant: Lyceum) -> None:
    execution_id = submit(tenant)
    forced = tenant.control("POST", f"/runs/{execution_id}/transition", {"to": "starting"})
    assert forced["status"] == "starting"
    with pytest.raises(ControlRefused, match="no such path in the contract"):
        tenant.control("GET", "/no/such/call")


# Tenants.


def test_tenants_see_nothing_of_each_other(running: Emulator) -> None:
    with running.tenant("one") as one, running.tenant("two") as two:
        one.scenario("failed", times=5)
        execution_id = submit(one)
        one.clock.advance("1h")
        assert (two.runs, two.requests()) == ((), ())
        assert two.run(submit(two)).scenario == "completed"
        assert two.clock.now == datetime(2026, 1, 1, tzinfo=UTC)
        with pytest.raises(ControlRefused, match=r"^Execution not found$"):
            two.run(execution_id)


def test_the_same_name_begins_anew_and_meets_the_same_run(running: Emulator) -> None:
    seen = []
    for _ in range(2):
        with running.tenant("again") as tenant:
            tenant.scenario("oom")
            seen.append(tenant.run(submit(tenant)))
            assert len(tenant.requests()) == 1
    assert (seen[0].execution_id, seen[0].seed, seen[0].script) == (seen[1].execution_id, seen[1].seed, seen[1].script)


def test_a_seed_makes_runs_alike_under_another_name(running: Emulator) -> None:
    seen = []
    for name, seed in (("left", 7), ("right", 7), ("left", 8)):
        with running.tenant(name, seed=seed) as tenant:
            tenant.scenario("oom")
            seen.append(tenant.run(submit(tenant)))
    assert seen[0].script == seen[1].script != seen[2].script
    assert seen[0].execution_id != seen[1].execution_id
    assert seen[0].execution_id == seen[2].execution_id


# Programs of their own.


def test_the_official_client_is_logged_in(tenant: Lyceum) -> None:
    client = OfficialClient(VERSIONS[0], Path(tenant.env["HOME"]), tenant.url, tenant.api_key)
    if not client.executable.exists():
        pytest.skip(f"lyceum-cli {VERSIONS[0]} is not installed: make clients")
    home = Path(tenant.env["HOME"])
    (home / "hello.py").write_text("print('this never runs')\n", "utf-8")
    tenant.clock.per_request("1s")
    done = subprocess.run(
        [client.executable, "python", "run", "hello.py"],
        cwd=home,
        env={"PATH": "/usr/bin:/bin"} | tenant.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert [run.submission["file_name"] for run in tenant.runs] == ["hello.py"]


def test_the_home_of_programs_goes_with_the_tenant(running: Emulator, tmp_path: Path) -> None:
    with running.tenant("at home") as tenant:
        home = Path(tenant.env["HOME"])
        config = json.loads((home / ".lyceum" / "config.json").read_text("utf-8"))
        assert config == {"api_key": tenant.api_key, "base_url": tenant.url}
        assert tenant.env["LYCEUM_BASE_URL"] == tenant.base_url
    assert not home.exists()
    with running.tenant("at home", home=lambda: tmp_path) as tenant:
        assert tenant.env["HOME"] == str(tmp_path)
    assert tmp_path.exists()


# Snapshots.


def test_a_snapshot_brings_the_tenant_back(tenant: Lyceum) -> None:
    tenant.scenario("oom")
    execution_id = submit(tenant)
    tenant.clock.until(execution_id, "running")
    half_way, before = tenant.snapshot(), tenant.run(execution_id)
    tenant.clock.until(execution_id)
    submit(tenant)
    tenant.restore(half_way)
    assert tenant.run(execution_id).transitions == before.transitions
    assert [run.execution_id for run in tenant.runs] == [execution_id]
    assert tenant.clock.now == before.transitions[-1].at


def test_what_cannot_be_restored_is_said_and_changes_nothing(tenant: Lyceum) -> None:
    execution_id = submit(tenant)
    with pytest.raises(ControlRefused, match=r"^body\.tenants: Input should be a valid dictionary"):
        tenant.restore(tenant.snapshot() | {"tenants": []})
    with pytest.raises(ControlRefused, match="holds 0 tenants"):
        tenant.restore(tenant.snapshot() | {"tenants": {}})
    assert [run.execution_id for run in tenant.runs] == [execution_id]


def test_the_report_of_a_test_tells_how_its_runs_ended(tenant: Lyceum) -> None:
    tenant.scenario("failed")
    execution_id = submit(tenant)
    tenant.clock.until(execution_id)
    told = dict(sections(evidence(tenant)))["lyceum runs"]
    error = tenant.run(execution_id).json["end"]["error"]
    assert f"    ended by script, return code 1: {error}\n" in told
    assert told.endswith(f"    | {error}")
