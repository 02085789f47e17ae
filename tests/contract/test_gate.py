"""Both contracts against a real server, by schemathesis: every check, every phase, no failure and no warning.

Each run tries other data, but in CI, which tries the same; its output ends with the seed that repeats it. To try more
than a test run has time for:

    lyceum-emulator serve --clock per-request --step 500ms
    schemathesis run openapi.yaml --url http://127.0.0.1:8642 --max-examples 300
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import IN_CI
from tests.process import environment, made_to_serve, serving

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 25
LIMIT_S = 480


@pytest.mark.parametrize(
    ("contract", "config"),
    [
        ("openapi.yaml", "schemathesis.toml"),
        ("emulator/control/openapi.yaml", "schemathesis.toml"),
        ("emulator/control/openapi.yaml", "tests/contract/without_token.toml"),
    ],
    ids=["service", "control", "control-without-token"],
)
def test_schemathesis_finds_nothing(contract: str, config: str, tmp_path: Path) -> None:
    told = tmp_path / "asked.json"
    # Half a second a request: a run, which takes six seconds, is met in each of its statuses.
    started = made_to_serve if contract == "openapi.yaml" else serving
    with started("--clock", "per-request", "--step", "500ms") as server:
        command = [str(SCHEMATHESIS), "--no-color", "--config-file", config, "run", contract]
        command += ["--generation-deterministic"] if IN_CI else []
        ended = subprocess.run(
            [*command, "--url", server.url, "--max-examples", str(EXAMPLES)],
            cwd=ROOT,
            env=environment(PYTHONIOENCODING="utf-8", CONTRACT_CHECKS_TOLD=str(told)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )
    print(ended.stdout)
    assert ended.returncode == 0, ended.stdout
    assert "No issues found" in ended.stdout, ended.stdout
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}\n" in ended.stdout, ended.stdout
    # How often our own checks had something to look at; the control API shows runs and nothing of their output.
    asked = json.loads(told.read_text(encoding="utf-8"))
    for about in ("statuses", "records", "timings", "metrics", "streams") if contract == "openapi.yaml" else ():
        assert asked.get(about, 0) >= 5, asked


def test_the_gate_leaves_nothing_out() -> None:
    """A refusal that is expected and has no direct test, a check or phase switched off: they have to show here."""
    settings = tomllib.loads((ROOT / "schemathesis.toml").read_text(encoding="utf-8"))
    without_token = tomllib.loads((ROOT / "tests/contract/without_token.toml").read_text(encoding="utf-8"))
    service, control = settings.pop("project")
    assert without_token.pop("project") == [control]
    assert settings.pop("auth")["wfc"]["peers"] == ["first", "second"]
    assert settings == without_token
    assert settings == {
        "hooks": "tests/contract/hooks.py",
        "warnings": {"fail-on": True},
        "phases": {"stateful": {"max-steps": 20}},
    }
    refused_with_400 = {
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 400, 401, 403, 404, 409, 429]}}
    }
    assert service["operations"] == [
        {"include-operation-id": "get_execution_metrics", **refused_with_400},
        {"include-operation-id": "set_environment_variables", **refused_with_400},
        {
            "include-operation-id": "delete_execution",
            "phases": {"fuzzing": {"extra-data-sources": {"responses": False}}},
        },
    ]
    assert control["operations"] == [
        {"include-operation-id": "get_run_metrics", **refused_with_400},
        {
            "include-operation-id": "get_notebook_page",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 410, 429]}},
        },
        {"include-operation-id": "put_scenario", **refused_with_400},
        {"include-operation-id": "add_fault", **refused_with_400},
    ]
    assert service.keys() == control.keys() == {"title", "operations"}
