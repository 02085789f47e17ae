"""A client that is generated from the contract: the generator has nothing to complain of, nor has a type checker, and
the client sees a run of each kind from its submission to its deletion."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from emulator.resources import CONTRACT_FILE
from tests.process import Server, serving

PROGRAMS = Path(sys.executable).parent
GENERATOR = PROGRAMS / "openapi-python-client"
PACKAGE = "lyceum_cloud_api_client"
CALLS = 60
"""More than any of the runs takes, at a second a call."""

TRAINING = """
import torch
model = torch.nn.Linear(512, 512).cuda()
optimizer = torch.optim.AdamW(model.parameters())
for _ in range(100):
    loss = model(torch.randn(64, 512, device="cuda")).square().mean()
    loss.backward()
    optimizer.step()
"""
SUBMISSIONS: dict[str, tuple[str, dict[str, object], str]] = {
    "python": ("PythonStart", {"code": "print(1)", "file_name": "one.py"}, "python code"),
    "image": ("ImageStart", {"docker_image_ref": "python:3.13", "docker_run_cmd": ["python", "-V"]}, "docker"),
    "compose": ("ComposeStart", {"compose_file_code": "services: {a: {image: redis}}"}, "docker compose"),
}


def run(*command: str | Path) -> str:
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"  # the generator calls ruff
    environment = os.environ | {"PATH": path}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    client = tmp_path_factory.mktemp("generated") / "client"
    run(GENERATOR, "generate", "--path", CONTRACT_FILE, "--output-path", client, "--fail-on-warning")
    return client


def test_a_client_is_generated_without_a_warning_and_type_checks(generated: Path) -> None:
    calls = {path.stem for path in generated.rglob("api/*/*.py")} - {"__init__"}
    assert {"start_python_execution", "get_execution_metrics", "stream_output"} <= calls
    checked = run(sys.executable, "-m", "mypy", "--no-incremental", "--config-file=", generated / PACKAGE)
    assert checked.startswith("Success: no issues found")


class Client:
    """The generated client of one account: `client("workloads.abort_workload", execution_id)` makes one call."""

    def __init__(self, url: str) -> None:
        package = importlib.import_module(PACKAGE)
        self._models = importlib.import_module(f"{PACKAGE}.models")
        self._http = package.AuthenticatedClient(
            base_url=url, token="lk_generated_client", raise_on_unexpected_status=True
        )

    def close(self) -> None:
        self._http.get_httpx_client().close()

    def answer(self, call: str, *values: object, **settings: object) -> Any:
        """Status code, body and what the client understood of it."""
        module = importlib.import_module(f"{PACKAGE}.api.{call}")
        return module.sync_detailed(*values, client=self._http, **settings)

    def __call__(self, call: str, *values: object, **settings: object) -> Any:
        """What the client understood of an answer, which has to be 200."""
        answer = self.answer(call, *values, **settings)
        assert answer.status_code == HTTPStatus.OK, answer
        return answer.parsed

    def model(self, name: str, content: dict[str, object]) -> Any:
        return getattr(self._models, name).from_dict(content)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--clock", "per-request", "--step", "1s") as server:
        yield server


@pytest.fixture
def client(generated: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.syspath_prepend(str(generated))
    client = Client(server.url)
    yield client
    client.close()


@pytest.mark.parametrize("kind", SUBMISSIONS)
def test_it_sees_a_run_from_its_submission_to_its_deletion(client: Client, kind: str) -> None:
    model, content, kind_on_record = SUBMISSIONS[kind]
    started = client(
        f"executions.start_{kind}_execution", body=client.model(model, content | {"execution_type": "gpu.l40s"})
    )
    assert started.status == "pending"
    execution_id = started.execution_id
    assert execution_id in [workload.execution_id for workload in client("workloads.list_workloads")]
    seen = [client("executions.get_streaming_status", execution_id).status]
    while not seen[-1].endswith(("completed", "failed", "failure")):
        assert len(seen) < CALLS, seen
        seen.append(client("executions.get_streaming_status", execution_id).status)
    assert sorted(set(seen), key=seen.index)[-2:] == ["running", "completed"]

    record = client("executions.get_execution", execution_id)
    assert (record.status, record.return_code, record.execution_type) == ("completed", 0, kind_on_record)
    assert record.created_at <= record.execelet_start <= record.start_time <= record.end_time <= record.finish_time
    streamed = client.answer("stream.stream_output", execution_id)
    assert streamed.content.endswith(b'data: {"jobFinished": {"job": {"result": {"returnCode": 0}}}}\n\n')
    logs = client("logs.get_execution_logs", execution_id)
    told = [line.message for line in logs.logs if line.labels["stream"] == "stdout"]
    assert "\n".join(told) == record.stdout.rstrip("\n") != ""
    timing = client("executions.get_execution_timing", execution_id).timing
    assert timing.total_duration == pytest.approx((record.finish_time - record.created_at).total_seconds())
    metrics = client("metrics.get_execution_metrics", execution_id, step="1s")
    assert metrics.gpu_power_watt[0].timestamp == record.start_time == metrics.time_range.start
    (row,) = [row for row in client("billing.get_billing_history").executions if row.execution_id == execution_id]
    assert (row.status, row.billed) == ("completed", record.billed)

    refused = client.answer("workloads.abort_workload", execution_id)
    assert (refused.status_code, refused.parsed.detail) == (409, "Execution is already completed")
    client("executions.delete_execution", execution_id)
    assert client.answer("executions.get_execution", execution_id).status_code == HTTPStatus.NOT_FOUND


def test_it_sees_a_gpu_selection_to_its_recommendation(client: Client) -> None:
    started = client("gpu_selection.start_gpu_selection", body=client.model("GpuSelectionStart", {"code": TRAINING}))
    assert started.callback_token.startswith("cb_")
    ended, calls = {"completed", "failed", "system_failure", "cancelled", "aborted"}, 0
    found = client("gpu_selection.get_gpu_selection_status", started.execution_id)
    while found.status not in ended and calls < CALLS:
        calls += 1
        found = client("gpu_selection.get_gpu_selection_status", started.execution_id)
    assert found.status == "completed"
    profiles = {job.hardware_profile for job in found.sub_jobs}
    results = found.metadata.selection_results
    assert {results.best, results.fastest, results.cheapest} <= profiles
    assert client("executions.get_execution", found.sub_jobs[0].execution_id).parent_execution_id == found.execution_id
