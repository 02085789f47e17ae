"""A real emulator process for the real clients, and one home directory and key per test."""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.official import VERSIONS, OfficialClient

SCENARIOS = Path(__file__).parent / "scenarios"
SPEED = 100
"""Starting the client takes longer than a second anyway; two minutes of a run pass meanwhile."""

READY = re.compile(r"Lyceum emulator at (http://127\.0\.0\.1:[0-9]+)")
START_LIMIT_S = 30
STOP_LIMIT_S = 5


@pytest.fixture(scope="session")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `lyceum-emulator serve` with the scenarios of this directory; stopped by SIGTERM."""
    directory = tmp_path_factory.mktemp("emulator")
    printed, complained = directory / "stdout", directory / "stderr"
    command = Path(sys.executable).with_name("lyceum-emulator")
    environment = {name: text for name, text in os.environ.items() if not name.startswith("LYCEUM_")}
    with (
        printed.open("w", encoding="utf-8") as stdout,
        complained.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(
            [command, "serve", "--port", "0", "--speed", str(SPEED), "--scenarios", SCENARIOS],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=environment,
        ) as process,
    ):
        try:
            yield url_once_ready(process, printed, complained)
            process.terminate()
            exit_code = process.wait(STOP_LIMIT_S)
        finally:
            process.kill()
    assert exit_code == 0
    for log in (printed, complained):
        assert "Traceback" not in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")


def url_once_ready(process: subprocess.Popen[bytes], printed: Path, complained: Path) -> str:
    """The address in the first line, which the emulator prints when it accepts connections."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        first_line, newline, _ = printed.read_text(encoding="utf-8").partition("\n")
        if newline:
            match = READY.fullmatch(first_line)
            assert match is not None, f"not the line that says where it listens: {first_line!r}"
            return match[1]
        time.sleep(0.02)
    raise AssertionError(f"the emulator did not start: {complained.read_text(encoding='utf-8')}")


@pytest.fixture
def version() -> str:
    """The newest client; a test that is parametrized with `version` runs with others as well."""
    return VERSIONS[0]


@pytest.fixture
def stranger(request: pytest.FixtureRequest, tmp_path: Path, emulator_url: str, version: str) -> OfficialClient:
    """A client that has not logged in."""
    key = "lk_" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()
    client = OfficialClient(version, tmp_path, emulator_url, key)
    if not client.executable.exists():
        pytest.skip(f"lyceum-cli {version} is not installed: make clients")
    return client


@pytest.fixture
def lyceum(stranger: OfficialClient) -> OfficialClient:
    """A client that is logged in."""
    stranger.log_in()
    return stranger
