"""`lyceum gpu recommend` and `gpu status` of the last official client that has them, against a real process."""

import pytest

from emulator.scenario.code_check import CPU_ONLY, NO_FRAMEWORK, NO_MODEL, NO_TRAINING_LOOP
from tests.clients.official import OfficialClient, execution_id_in

pytestmark = pytest.mark.parametrize("version", ["1.1.7"])

TRAINING = """\
import torch
model = torch.nn.Linear(8, 8).cuda()
model(torch.randn(4, 8, device="cuda")).sum().backward()
"""


def rows_of(stdout: str, title: str) -> dict[str, list[str]]:
    """The rows of the table with this title, by their first cell."""
    lines = iter(stdout.split("\n"))
    assert any(line.strip() == title for line in lines), stdout
    rows: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("└"):
            return rows
        if line.startswith("│"):
            first, *others = (cell.strip() for cell in line.strip("│").split("│"))
            rows[first] = others
    raise AssertionError(f"the table {title!r} has no end: {stdout}")


def recommend(lyceum: OfficialClient, scenario: str, *options: str, code: str = TRAINING) -> tuple[int, str, str]:
    """Exit code, output, and the id of the selection."""
    lyceum.queue(scenario)
    outcome = lyceum("gpu", "recommend", lyceum.file("train.py", code), *options)
    return outcome.exit_code, outcome.stdout, execution_id_in(outcome.stdout)


def test_a_recommendation_shows_memory_times_and_costs_of_every_profile(lyceum: OfficialClient) -> None:
    exit_code, stdout, execution_id = recommend(lyceum, "selection-healthy")
    assert exit_code == 0, stdout
    body = lyceum.get(f"/execution/gpu_selection/{execution_id}/status")
    metrics = body["metadata"]["selection_results"]["metrics"]
    assert "Best: B200 (179 GB VRAM)" in stdout
    assert f"Est. runtime: {metrics['gpu.b200']['time']:.2f}s" in stdout
    assert "Throughput: 15 iters/sec" in stdout
    assert "lyceum python run train.py -m gpu.b200" in stdout
    predicted = rows_of(stdout, "Runtime Prediction")
    assert len(predicted) == 9
    assert predicted["B200 ✓"] == ["success", metrics["gpu.b200"]["htime"], f"${metrics['gpu.b200']['cost']:.2f}"]
    assert predicted["T4"] == ["success", "4m 33s", f"${metrics['gpu.t4']['cost']:.2f}"]
    assert rows_of(stdout, "Memory Breakdown")["Total"] == ["26.0 GB"]
    assert rows_of(stdout, "Compatible GPUs")["T4"] == ["15 GB", "2", "89.3%"]


@pytest.mark.parametrize(
    ("strategy", "label"), [("cost", "Cheapest: H100"), ("speed", "Fastest: B200"), ("util", "Best utilization: T4")]
)
def test_another_strategy_gives_another_gpu(lyceum: OfficialClient, strategy: str, label: str) -> None:
    _, _, execution_id = recommend(lyceum, "selection-healthy")
    shown = lyceum("gpu", "status", execution_id, "--optimize", strategy)
    assert (shown.exit_code, "Status: completed" in shown.stdout) == (0, True)
    assert label.replace("T4", "2x T4") in shown.stdout


def test_profiles_that_failed_are_shown_beside_those_that_did_not(lyceum: OfficialClient) -> None:
    exit_code, stdout, _ = recommend(lyceum, "selection-partial")
    assert exit_code == 0, stdout
    predicted = rows_of(stdout, "Runtime Prediction")
    assert predicted["T4"] == predicted["B200"] == ["failed", "-", "-"]
    assert predicted["H100 ✓"][0] == "success"


def test_where_every_profile_fails_the_memory_needs_are_shown_all_the_same(lyceum: OfficialClient) -> None:
    exit_code, stdout, _ = recommend(lyceum, "selection-all-fail", code="pass")
    assert exit_code == 1
    assert "Memory extraction succeeded" in stdout
    assert "Runtime prediction failed on all GPUs" in stdout


@pytest.mark.parametrize(
    ("code", "problem", "advice"),
    [
        ("print('hello')", NO_FRAMEWORK, "Add import torch and use PyTorch modules"),
        ("import torch\nmodel = torch.nn.Linear(1, 1)", CPU_ONLY, "Move model to GPU: model.to('cuda')"),
        ("import torch\ntorch.zeros(1).cuda()", NO_MODEL, "Define a class that inherits from nn.Module"),
        ("import torch\nmodel = torch.nn.Linear(1, 1).cuda()", NO_TRAINING_LOOP, "And optimizer.step()"),
    ],
)
def test_code_that_will_not_do_is_met_with_advice(lyceum: OfficialClient, code: str, problem: str, advice: str) -> None:
    exit_code, stdout, _ = recommend(lyceum, "completed", code=code)
    assert exit_code == 1
    assert "GPU Selection Failed" in stdout
    assert problem in stdout
    assert advice in stdout


def test_a_selection_that_still_waits_says_so_and_can_be_aborted(lyceum: OfficialClient) -> None:
    lyceum.queue("selection-slow-queue")
    execution_id = lyceum.start("gpu_selection", "selection-slow-queue", code=TRAINING)
    shown = lyceum("gpu", "status", execution_id)
    assert shown.exit_code == 0
    assert "Job is still running. Check again later." in shown.stdout
    assert lyceum("jobs", "abort", execution_id).exit_code == 0
    shown = lyceum("gpu", "status", execution_id)
    assert "Status: aborted" in shown.stdout


def test_an_unknown_selection_is_not_found(lyceum: OfficialClient) -> None:
    shown = lyceum("gpu", "status", "9d73319c-6f1c-4b4c-90e4-044244353ce4")
    assert (shown.exit_code, shown.stdout.strip()) == (1, "Execution not found.")
