"""`lyceum-emulator serve` as a process of its own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("lyceum-emulator")
STOP_LIMIT_S = 10.0

_GREETING = re.compile(r"Lyceum emulator at (http://\S+)")


@dataclass(frozen=True)
class Server:
    """An emulator that accepts connections at `url`; `process.stdout` goes on after its first line."""

    url: str
    process: subprocess.Popen[str]
    log: IO[str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def logged(self) -> str:
        """What it has written on stderr."""
        self.log.seek(0)
        return self.log.read()


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would set options of the emulator."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LYCEUM_")}
    return kept | variables


@contextmanager
def serving(*arguments: str | Path, **variables: str) -> Iterator[Server]:
    """An emulator on a free port; at the end it is asked to stop, and has to, without a traceback."""
    with _started([str(COMMAND), "serve", "--port", "0", *map(str, arguments)], variables) as server:
        yield server


@contextmanager
def made_to_serve(*arguments: str) -> Iterator[Server]:
    """The same, started as the README says. make hands the signal to stop on, and ends by it itself."""
    options = shlex.join(["--port", "0", *arguments])
    with _started(["make", "serve", f"ARGS={options}"], {}, exit_code=-signal.SIGTERM) as server:
        yield server


@contextmanager
def _started(command: list[str], variables: Mapping[str, str], *, exit_code: int = 0) -> Iterator[Server]:
    with TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT if command[0] == "make" else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(**variables),
            start_new_session=True,  # make's child, too, is to be gone after a test that failed
        )
        with process:
            try:
                assert process.stdout is not None
                said = ""
                while (match := _GREETING.search(said)) is None and (line := process.stdout.readline()):
                    said += line  # make may have to set up first, and says so
                assert match is not None, f"it did not start: {said}{Server('', process, log).logged()}"
                server = Server(match[1], process, log)
                yield server
                process.terminate()
                ended = process.wait(STOP_LIMIT_S)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        assert (ended, "Traceback" in server.logged()) == (exit_code, False), server.logged()


def refused(*arguments: str | Path, **variables: str) -> tuple[int, str]:
    """Exit code and stderr of a `serve` that does not get to serve."""
    ended = subprocess.run(
        [COMMAND, "serve", *arguments],
        capture_output=True,
        text=True,
        env=environment(**variables),
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr
