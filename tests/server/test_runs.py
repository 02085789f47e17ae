"""Runs over HTTP: what is submitted is what is shown, at every time."""

from typing import Any

import pytest

from emulator.server.settings import Settings
from tests.api import BASE, Api, emulator


def test_a_start_answers_pending_with_a_stream_at_the_host_that_the_client_used(api: Api) -> None:
    answer = api.post("/execution/streaming/start", {"code": "pass"}, headers={"Host": "emulator.test:81"})
    body = answer.json()
    assert body["status"] == "pending"
    assert body["streaming_url"] == f"http://emulator.test:81/api/v1/stream/{body['execution_id']}"


def test_a_host_that_is_none_is_not_handed_on(api: Api) -> None:
    answer = api.post("/execution/streaming/start", {"code": ""}, headers={"Host": 'a"><script>'})
    assert answer.json()["streaming_url"].startswith("http://testserver:80/api/v1/stream/")


def test_a_run_passes_its_statuses_and_its_record_fills_up(api: Api) -> None:
    run_id = api.start("failed")
    seen = []
    for until in ("starting", "running", "failed"):
        api.advance(execution_id=run_id, until=until)
        record = api.record(run_id)
        seen.append((record["status"], record["start_time"] is None, record["return_code"]))
    assert seen == [("starting", True, None), ("running", False, None), ("failed", False, 1)]
    record = api.record(run_id)
    assert record["errors"] in record["stderr"]
    assert record["billed"] > 0
    order = ["created_at", "execelet_start", "job_start", "start_time", "end_time", "job_end", "finish_time"]
    assert [record[name] for name in order] == sorted(record[name] for name in order)


@pytest.mark.parametrize(
    ("path", "body", "shown"),
    [
        (
            "/execution/streaming/start",
            {
                "code": "print(1)",
                "requirements_content": "torch\n",
                "execution_type": "h100",
                "file_name": "train.py",
                "run_name": "nightly",
                "labels": ["a", "b"],
                "metadata": {"team": "vision"},
                "timeout": 77,
                "import_files": '{"lib/a.py": "x = 1"}',
            },
            {
                "execution_type": "python code",
                "hardware_profile": "gpu.h100",
                "python_code": "print(1)",
                "python_requirements": "torch\n",
                "file_name": "train.py",
                "run_name": "nightly",
                "labels": ["a", "b"],
                "metadata": {"team": "vision"},
                "timeout": 77,
                "local_imports": ["lib/a.py"],
                "docker_image_ref": None,
                "enable_s3_mount": None,
            },
        ),
        (
            "/execution/image/start",
            {
                "docker_image_ref": "python:3.13",
                "docker_run_cmd": ["python", "-V"],
                "job_type": "customer_notebook",
                "graceful_timeout": 7,
                "s3_mount_path": "/mnt/x",
            },
            {
                "execution_type": "docker",
                "hardware_profile": "cpu",
                "docker_image_ref": "python:3.13",
                "docker_run_cmd": ["python", "-V"],
                "job_type": "customer_notebook",
                "graceful_timeout": 7,
                "enable_s3_mount": True,
                "s3_mount_path": "/mnt/x",
                "timeout": 60,
                "python_code": None,
            },
        ),
        (
            "/execution/compose/start",
            {"compose_file_code": "services: {web: {image: nginx}}", "execution_type": "gpu.a100.4x"},
            {
                "execution_type": "docker compose",
                "hardware_profile": "gpu.a100.4x",
                "compose_file_code": "services: {web: {image: nginx}}",
                "enable_s3_mount": False,
            },
        ),
    ],
)
def test_a_record_shows_what_was_submitted(api: Api, path: str, body: dict[str, Any], shown: dict[str, Any]) -> None:
    record = api.record(api.post(path, body).json()["execution_id"])
    assert {name: record[name] for name in shown} == shown


def test_requirements_under_their_old_name_are_understood(api: Api) -> None:
    assert api.record(api.start(requirements="numpy"))["python_requirements"] == "numpy"


def test_secrets_of_a_submission_are_shown_nowhere(api: Api) -> None:
    secret = "s3cr3t-nobody-may-see"
    body = {
        "docker_image_ref": "private/image",
        "docker_run_env": f"TOKEN={secret}",
        "docker_registry_credential_type": "basic",
        "docker_username": secret,
        "docker_password": secret,
        "aws_access_key_id": secret,
        "aws_secret_access_key": secret,
        "aws_session_token": secret,
    }
    run_id = api.post("/execution/image/start", body).json()["execution_id"]
    api.advance(execution_id=run_id, until="terminal")
    shown = [
        api.get(f"/execution/{run_id}"),
        api.get("/billing/history"),
        api.get(f"/logs/execution/{run_id}"),
        api.request("GET", f"/_emulator/runs/{run_id}"),
        api.request("POST", f"/api/v1/stream/{run_id}"),
    ]
    assert [answer.status_code for answer in shown] == [200] * 5
    assert not [answer.url for answer in shown if secret in answer.text]


def test_an_unknown_hardware_profile_is_forbidden_and_the_available_ones_are_told(api: Api) -> None:
    answer = api.post("/execution/streaming/start", {"code": "", "execution_type": "gpu.h900"})
    assert answer.status_code == 403
    available = api.get("/user/quotas/available-hardware").json()["available_hardware_profiles"]
    assert "gpu.l40s" in available
    assert [name for name in available if name not in answer.json()["detail"]] == []


def test_machine_types_cost_what_the_runs_on_them_cost(api: Api) -> None:
    types = api.get("/machine-types").json()
    assert types["count"] == len(types["machine_types"])
    price = {row["hardware_profile"]: row["price_per_hour"] for row in types["machine_types"]}
    run_id = api.start("long-queue", execution_type="gpu.b200")
    api.advance(execution_id=run_id, until="starting")
    api.advance(by="36s")
    assert api.record(run_id)["billed"] == round(price["gpu.b200"] / 100, 6)


@pytest.mark.parametrize(
    "text",
    ["services: [", "a: b: c", "- just\n- a list", "", "&a [*a, *a]", "x: " + "[" * 5000],
    ids=["unclosed", "nested", "list", "empty", "itself", "deep"],
)
def test_a_compose_file_that_cannot_be_read_makes_a_failed_run(api: Api, text: str) -> None:
    answer = api.post("/execution/compose/start", {"compose_file_code": text})
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    run_id = answer.json()["execution_id"]
    api.advance(execution_id=run_id, until="terminal")
    record = api.record(run_id)
    assert (record["status"], record["return_code"], record["start_time"]) == ("failed", 1, None)
    assert record["errors"].startswith("docker-compose.yml: ")


def test_the_list_holds_active_runs_newest_first_and_status_widens_it(api: Api) -> None:
    first, second = api.start("silent"), api.start("notebook")
    api.advance(by="1h")
    third = api.start()

    def listed(**query: Any) -> list[str]:
        return [row["execution_id"] for row in api.get("/workloads/list", params=query).json()]

    assert listed() == [third, second]
    assert listed(status="completed") == [first]
    assert listed(status=["completed", "pending"]) == [third, first]
    assert api.get("/workloads/list", params={"status": "finished"}).status_code == 422


def test_the_history_holds_every_run_newest_first_and_sums_up(api: Api) -> None:
    ids = [api.start("silent") for _ in range(3)]
    api.advance(by="1h")
    history = api.get("/billing/history").json()
    assert [row["execution_id"] for row in history["executions"]] == ids[::-1]
    assert history["counts_by_status"] == {"completed": 3}
    assert history["total_credits_spent"] == pytest.approx(sum(row["billed"] for row in history["executions"]))
    assert (history["total_executions"], history["limit"], history["offset"]) == (3, 50, 0)
    page = api.get("/billing/history", params={"limit": 1, "offset": 1}).json()
    assert [row["execution_id"] for row in page["executions"]] == [ids[1]]
    beyond = api.get("/billing/history", params={"offset": 2**63 - 1, "limit": 2**63 - 1}).json()
    assert (beyond["executions"], beyond["total_executions"]) == ([], 3)


def test_abort_ends_a_run_at_once_and_only_once(api: Api) -> None:
    for path in ("/workloads/abort", "/execution/streaming/abort", "/execution/image/abort"):
        run_id = api.start()
        aborted = api.post(f"{path}/{run_id}")
        assert (aborted.status_code, aborted.json()["status"]) == (200, "aborted")
        again = api.post(f"{path}/{run_id}")
        assert (again.status_code, again.json()) == (409, {"detail": "Execution is already aborted"})
        assert api.record(run_id)["return_code"] == 137


def test_stop_ends_a_notebook_after_its_shutdown_and_then_answers_not_found(api: Api) -> None:
    run_id = api.start("notebook")
    api.advance(execution_id=run_id, until="running")
    api.advance(by="10m")
    stopping = api.post(f"/workloads/stop/{run_id}")
    assert (stopping.status_code, stopping.json()["status"]) == (200, "running")
    api.advance(execution_id=run_id, until="completed")
    again = api.post(f"/workloads/stop/{run_id}")
    assert (again.status_code, again.json()) == (404, {"detail": "Execution is already completed"})
    timing = api.get(f"/execution/{run_id}/timing").json()["timing"]
    assert timing["shuttingDown"] > 0
    assert timing["executingJob"] == 600.0
    parts = ("jobRequestSent", "queued", "launchingContainer", "executingJob", "shuttingDown")
    assert sum(timing[name] for name in parts) == pytest.approx(timing["total"])


def test_complete_marks_an_active_run_completed(api: Api) -> None:
    run_id = api.start("notebook")
    assert api.post(f"/execution/streaming/complete/{run_id}").json()["status"] == "completed"
    assert api.post(f"/execution/streaming/complete/{run_id}").status_code == 409


def test_a_deleted_run_is_gone_from_every_path(api: Api) -> None:
    run_id = api.start("chatty")
    assert api.request("DELETE", f"{BASE}/execution/{run_id}").status_code == 409
    api.advance(execution_id=run_id, until="terminal")
    assert api.request("DELETE", f"{BASE}/execution/{run_id}").status_code == 200
    for path in (f"/execution/{run_id}", f"/execution/{run_id}/timing", f"/logs/execution/{run_id}"):
        assert api.get(path).status_code == 404
    assert api.request("POST", f"/api/v1/stream/{run_id}").status_code == 404
    assert api.get("/billing/history").json()["total_executions"] == 0


def test_legacy_statuses_are_spoken_where_they_are_asked_for() -> None:
    words = {}
    for legacy in (False, True):
        api = emulator(Settings(legacy_statuses=legacy))
        for scenario, until in (
            ("completed", "starting"),
            ("failed", "terminal"),
            ("system-failure", "terminal"),
        ):
            run_id = api.start(scenario)
            api.advance(execution_id=run_id, until=until)
            words[scenario, legacy] = api.get(f"/execution/streaming/{run_id}/status").json()["status"]
        run_id = api.start()
        api.post(f"/workloads/abort/{run_id}")
        words["aborted", legacy] = api.get(f"/execution/streaming/{run_id}/status").json()["status"]
    assert words == {
        ("completed", False): "starting",
        ("failed", False): "failed",
        ("system-failure", False): "system_failure",
        ("aborted", False): "aborted",
        ("completed", True): "queued",
        ("failed", True): "failed_user",
        ("system-failure", True): "failed_system",
        ("aborted", True): "cancelled",
    }


def test_logs_are_oldest_first_cut_to_the_newest_and_limited_in_time(api: Api) -> None:
    run_id = api.start("chatty")
    api.advance(execution_id=run_id, until="terminal")
    path = f"/logs/execution/{run_id}"
    whole = api.get(path, params={"limit": 10_000}).json()
    cut = api.get(path, params={"limit": 3}).json()
    assert len(whole["logs"]) == whole["total"] == cut["total"] >= 10_000 - 1
    assert cut["logs"] == whole["logs"][-3:]
    assert [entry["timestamp"] for entry in whole["logs"]] == sorted(e["timestamp"] for e in whole["logs"])
    assert len(api.get(path).json()["logs"]) == 1000
    api.advance(by="24h")
    assert api.get(path).json() == {"logs": [], "total": 0}
    assert api.get(path, params={"hours": 168, "limit": 1}).json()["total"] == whole["total"]


def test_logs_of_the_user_join_all_runs_in_order_of_time(api: Api) -> None:
    runs = {api.start("failed"), api.start("completed")}
    api.advance(by="5m")
    entries = api.get("/logs/user", params={"limit": 5000}).json()["logs"]
    assert {entry["execution_id"] for entry in entries} == runs
    assert [entry["timestamp"] for entry in entries] == sorted(entry["timestamp"] for entry in entries)
    assert {entry["level"] for entry in entries} == {"info", "error"}


def test_a_page_of_the_users_logs_is_the_end_of_all_of_them(api: Api) -> None:
    text = 'timeline: [{running: 20s}, completed]\noutput: [{every: 1s, text: "{n}\\n"}, {at: 3s, text: bye}]\n'
    api.request("PUT", "/_emulator/scenarios/ours", content=text, headers={"Content-Type": "application/yaml"})
    runs = [api.start("ours") for _ in range(3)]  # of one instant each
    api.advance(by="5s")
    runs.append(api.start("ours"))
    api.advance(by="5s")
    runs.append(api.start("failed"))
    for by in ("1s", "17s", "5m"):
        api.advance(by=by)
        whole = api.get("/logs/user", params={"limit": 5000}).json()
        assert len(whole["logs"]) == whole["total"]
        assert whole["logs"] == sorted(
            (line for run in runs for line in api.get(f"/logs/execution/{run}").json()["logs"]),
            key=lambda line: str(line["timestamp"]),
        )
        for limit in (1, 2, 3, 10, 17):
            page = api.get("/logs/user", params={"limit": limit}).json()
            assert page == {"logs": whole["logs"][-limit:], "total": whole["total"]}


def test_a_submission_that_names_an_unknown_scenario_is_told_the_nearest(api: Api) -> None:
    by_metadata = api.post("/execution/streaming/start", {"code": "", "metadata": {"emulator.scenario": "complete"}})
    assert by_metadata.status_code == 422
    (problem,) = by_metadata.json()["detail"]
    assert problem["loc"] == ["body", "metadata", "emulator.scenario"]
    assert "`completed`" in problem["msg"]
    by_header = api.post("/execution/streaming/start", {"code": ""}, headers={"X-Emulator-Scenario": "complete"})
    assert by_header.json()["detail"][0]["loc"] == ["header", "X-Emulator-Scenario"]
    assert api.get("/billing/history").json()["total_executions"] == 0


def test_an_hour_of_a_run_is_all_seen_within_few_calls(api: Api) -> None:
    run_id = api.start("long-queue")
    seen = [api.record(run_id)["status"]]
    for until in ("starting", "running", "completed"):
        api.advance(execution_id=run_id, until=until)
        seen.append(api.record(run_id)["status"])
    assert seen == ["pending", "starting", "running", "completed"]
    assert api.get(f"/execution/{run_id}/timing").json()["timing"]["queued"] >= 3000


def test_a_whole_number_may_be_written_as_a_float(api: Api) -> None:
    body = {"docker_image_ref": "x", "graceful_timeout": 5.0, "timeout": 600.0}
    answer = api.post("/execution/image/start", body, headers={"X-Emulator-Scenario": "notebook"})
    run_id = answer.json()["execution_id"]
    api.advance(execution_id=run_id, until="running")
    api.post(f"/workloads/stop/{run_id}")
    record = api.record(run_id)
    assert (record["timeout"], record["graceful_timeout"]) == (600, 5)


def test_a_slip_in_the_metadata_meant_for_the_emulator_is_noted(api: Api) -> None:
    run_id = api.start(metadata={"emulator.scenaro": "oom"})
    assert api.control("GET", f"/runs/{run_id}")["warnings"] == [
        "body.metadata.emulator.scenaro: the emulator knows only emulator.scenario"
    ]


@pytest.mark.parametrize("name", ["X-Emulator-Scenari", "x-emulator-scenario-name", "Emulator-Scenario"])
def test_a_slip_in_a_header_meant_for_the_emulator_is_noted(api: Api, name: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "/execution/streaming/start": {"code": ""},
        "/execution/image/start": {"docker_image_ref": "x"},
        "/execution/gpu_selection/start": {"code": "import torch"},
    }
    told = [f"header.{name.lower()}: the emulator knows only X-Emulator-Scenario"]
    for path, body in bodies.items():
        run_id = api.post(path, body, headers={name: "oom"}).json()["execution_id"]
        assert api.control("GET", f"/runs/{run_id}")["warnings"] == told
        assert api.control("GET", "/requests?limit=1")["requests"][0]["warnings"] == told


def test_headers_that_the_emulator_knows_are_none_to_be_warned_of(api: Api) -> None:
    headers = {"X-Emulator-Scenario": "oom", "X-Emulator-Token": "of the control API", "X-Other": "x"}
    run_id = api.post("/execution/streaming/start", {"code": ""}, headers=headers).json()["execution_id"]
    assert api.control("GET", f"/runs/{run_id}")["warnings"] == []


def test_so_many_slips_are_told_and_so_much_of_each(api: Api) -> None:
    headers = {f"X-Emulator-{n}-{'a' * 500}": "" for n in range(30)}
    run_id = api.post("/execution/streaming/start", {"code": ""}, headers=headers).json()["execution_id"]
    warnings = api.control("GET", f"/runs/{run_id}")["warnings"]
    assert len(warnings) == 20
    assert max(map(len, warnings)) < 300


def test_what_is_no_text_in_a_path_is_unknown_and_nothing_worse(api: Api) -> None:
    for path in ("/_emulator/scenarios/%ff", f"{BASE}/execution/%ff%00"):
        assert api.request("GET", path).status_code == 404
