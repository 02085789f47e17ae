"""Prism as a validating proxy: a second opinion on what clients send and what the emulator answers.

`make prism` installs it. With `--errors` it answers itself, with a problem that names its own site, whatever breaks
the contract in either direction. Of a status code that is not documented it only warns, unless that is a success: the
tests compare codes themselves. Which answers it does not get to see is in EXCEPTIONS in test_prism.py.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import yaml

from emulator.resources import CONTRACT_FILE

PROGRAM = Path(__file__).parents[2] / ".prism" / "node_modules" / ".bin" / "prism"
CONTROL_PATH = "/_emulator/health"
"""A path that only Prism's copy of the contract has, with a property that no answer has."""

START_LIMIT_S = 60


@dataclass(frozen=True)
class Prism:
    """A proxy that accepts connections at `url`."""

    url: str
    log: Path

    def told(self) -> list[str]:
        """The lines of its log that tell of requests that it ended itself."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if "prism/errors#" in line]


def violations(answer: httpx2.Response) -> list[str]:
    """What Prism has against an exchange that it ended itself, as `place: message`; empty if it passed it on."""
    if "prism/errors#" not in answer.text:
        return []
    problem: dict[str, Any] = answer.json()
    told = problem.get("validation", [])
    return [f"{'.'.join(map(str, one['location']))}: {one['message']}" for one in told] or [problem["title"]]


def contract_copy(directory: Path) -> Path:
    """The contract with CONTROL_PATH in it, so that a test can see that Prism refuses answers."""
    document = yaml.safe_load(CONTRACT_FILE.read_text(encoding="utf-8"))
    answer = {"application/json": {"schema": {"type": "object", "required": ["never"]}}}
    responses = {"200": {"description": "One that lacks something.", "content": answer}}
    document["paths"][CONTROL_PATH] = {"get": {"security": [], "responses": responses}}
    copy = directory / "openapi.json"
    copy.write_bytes(orjson.dumps(document))
    return copy


@contextmanager
def proxying(upstream: str, directory: Path) -> Iterator[Prism]:
    """Prism in front of `upstream`, on a free port."""
    if not PROGRAM.exists():
        pytest.skip("NOT CHECKED: Prism's opinion on the contract, since it is not installed: make prism")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    log = directory / "prism.log"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            [PROGRAM, "proxy", "--errors", "--port", port, contract_copy(directory), upstream],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            _wait_until_listening(process, log)
            yield Prism(f"http://127.0.0.1:{port}", log)
        finally:
            process.kill()


def _wait_until_listening(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        if "Prism is listening" in log.read_text(encoding="utf-8"):
            return
        time.sleep(0.05)
    raise AssertionError(f"Prism did not start: {log.read_text(encoding='utf-8')}")
