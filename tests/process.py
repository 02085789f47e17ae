"""`lyceum-emulator serve` as a process of its own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
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
def serving(*arguments: str | Path, make: bool = False, **variables: str) -> Iterator[Server]:
    """An emulator on a free port; at the end it is asked to stop, and has to, without a traceback.

    With `make` it is started as the README says.
    """
    options = ["--port", "0", *map(str, arguments)]
    with TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            ["make", "serve", f"ARGS={shlex.join(options)}"] if make else [COMMAND, "serve", *options],
            cwd=ROOT if make else None,
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
                exit_code = process.wait(STOP_LIMIT_S)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        wanted = -signal.SIGTERM if make else 0  # make hands the signal on, and ends by it itself
        assert (exit_code, "Traceback" in server.logged()) == (wanted, False), server.logged()


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
