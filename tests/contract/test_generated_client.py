"""A client that is generated from the contract: the generator has nothing to complain of, nor has a type checker."""

import os
import subprocess
import sys
from pathlib import Path

from emulator.resources import CONTRACT_FILE

PROGRAMS = Path(sys.executable).parent
GENERATOR = PROGRAMS / "openapi-python-client"


def run(*command: str | Path) -> str:
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"  # the generator calls ruff
    environment = os.environ | {"PATH": path}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_client_is_generated_without_a_warning_and_type_checks(tmp_path: Path) -> None:
    client = tmp_path / "client"
    run(GENERATOR, "generate", "--path", CONTRACT_FILE, "--output-path", client, "--fail-on-warning")
    calls = {path.stem for path in client.rglob("api/*/*.py")} - {"__init__"}
    assert {"start_python_execution", "get_execution_metrics", "stream_output"} <= calls
    checked = run(
        sys.executable, "-m", "mypy", "--no-incremental", "--config-file=", client / "lyceum_cloud_api_client"
    )
    assert checked.startswith("Success: no issues found")
