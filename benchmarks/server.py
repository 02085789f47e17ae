"""A server as a process of its own: started, waited for, weighed and stopped."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from benchmarks.client import HOST
from benchmarks.errors import NotStarted

START_LIMIT_S = 60.0
_STOP_LIMIT_S = 10.0
_LAST_WORDS = 150  # of a traceback, the end tells what happened
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server, and what to ask it for to see that it is up.

    In `command`, `{port}` stands for the port. `environment` is added to this process's own.
    """

    name: str
    command: Sequence[str]
    probe: str
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `started_s` is when its process was made, on the clock of `time.perf_counter`."""

    name: str
    port: int
    pid: int
    started_s: float
    first_answer_s: float

    @property
    def start_ms(self) -> float:
        """From the start of its process to its first 200."""
        return 1000 * (self.first_answer_s - self.started_s)

    @property
    def cpu_s(self) -> float:
        """CPU time of all its threads so far, user and system, in steps of a tick (10 ms as a rule)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    @property
    def memory_mb(self) -> float:
        """Resident memory, in 10^6 bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6


@contextmanager
def running(launch: Launch) -> Iterator[Server]:
    """The server, once it answers; it ends with the block. Raises NotStarted."""
    port = free_port()
    command = [part.replace("{port}", str(port)) for part in launch.command]
    with TemporaryFile() as log:
        started_s = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment() | dict(launch.environment or {}),
        )
        try:
            if not _answers(port, launch.probe, process):
                log.seek(0)
                raise NotStarted(f"{launch.name} did not start: {log.read()[-_LAST_WORDS:].decode(errors='replace')}")
            yield Server(launch.name, port, process.pid, started_s, time.perf_counter())
        finally:
            process.terminate()
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment() -> dict[str, str]:
    """This process's own, without what would set options of the emulator or keep Python from keeping bytecode."""
    unwanted = ("LYCEUM_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def missing_commands(*names: str) -> str | None:
    """Why something cannot be run here, if a command that it needs is not on the path."""
    absent = [name for name in names if shutil.which(name) is None]
    return f"{' and '.join(absent)} not installed" if absent else None


def _answers(port: int, path: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether it came to answer 200 before its process ended, or too much time had gone by."""
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=START_LIMIT_S)
        try:
            connection.request("GET", path, headers={"Authorization": "Bearer lk_benchmarks_probe"})
            if connection.getresponse().status == 200:
                return True
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.002)
    return False
