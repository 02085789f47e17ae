"""`lyceum-emulator serve` as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

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
    with TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(**variables),
        )
        with process:
            try:
                assert process.stdout is not None
                greeting = process.stdout.readline()  # ends, at the latest, when the process does
                server = Server(greeting, process, log)
                match = _GREETING.fullmatch(greeting.strip())
                assert match is not None, f"it did not start: {greeting}{server.logged()}"
                server = Server(match[1], process, log)
                yield server
                process.terminate()
                exit_code = process.wait(STOP_LIMIT_S)
            finally:
                process.kill()
        assert (exit_code, "Traceback" in server.logged()) == (0, False), server.logged()


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
