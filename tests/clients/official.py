"""The official command-line client as a subprocess: one installed version, one home directory, one key."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSIONS = ("1.2.2", "1.1.7", "1.0.52")
"""Those that the Makefile installs, newest first."""

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 60
"""For one command; far more than any takes, so that only a hang meets it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left behind. All that the client prints goes to stdout, usage errors apart."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Table:
    """A printed table: its title, and the cells of its rows without the header."""

    title: str
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class OfficialClient:
    """Calling it runs one command: `lyceum("jobs", "list")`."""

    version: str
    home: Path
    url: str
    key: str

    @property
    def executable(self) -> Path:
        return REPOSITORY / ".venv-clients" / f"lyceum-cli-{self.version}" / "bin" / "lyceum"

    def log_in(self) -> None:
        """Write what `auth login` writes; the command itself has tests of its own."""
        config = self.home / ".lyceum" / "config.json"
        config.parent.mkdir()
        config.write_text(json.dumps({"api_key": self.key, "base_url": self.url}), encoding="utf-8")

    def file(self, name: str, text: str = "print('this never runs')\n") -> str:
        """Put a file where the client runs; its name, as an argument."""
        (self.home / name).write_text(text, encoding="utf-8")
        return name

    def __call__(self, *args: str) -> Outcome:
        done = subprocess.run(
            [self.executable, *args],
            cwd=self.home,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def interrupt(self, *args: str, once_it_printed: str) -> Outcome:
        """Run a command, and press Ctrl+C as soon as it has printed that text."""
        with subprocess.Popen(
            [self.executable, *args],
            cwd=self.home,
            env=self._environment() | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,  # a process group of its own, as in a terminal
        ) as running:
            assert running.stdout is not None
            seen = ""
            while once_it_printed not in seen and (line := running.stdout.readline()):
                seen += line
            assert once_it_printed in seen, f"the client ended without printing it: {seen!r}"
            os.killpg(running.pid, signal.SIGINT)
            try:
                rest, stderr = running.communicate(timeout=PATIENCE_S)
            finally:
                running.kill()
            return Outcome(running.returncode, seen + rest, stderr)

    def json(self, *args: str) -> Any:
        """What a command prints with `--json`."""
        outcome = self(*args, "--json")
        assert outcome.exit_code == 0, outcome
        return json.loads(outcome.stdout)

    def get(self, path: str) -> Any:
        """The same account's view of the API, past the client: to compare what it printed with."""
        return json.loads(self._send("GET", f"/api/v2/external{path}"))

    def record(self, execution_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/execution/{execution_id}")
        return found

    def start(self, kind: str, scenario: str, **submission: str) -> str:
        """Start a run past the client, where a test is about what comes after; its id."""
        body = {"execution_type": "gpu.l40s", "metadata": {"emulator.scenario": scenario}, **submission}
        path = f"/api/v2/external/execution/{kind}/start"
        started: dict[str, str] = json.loads(self._send("POST", path, json.dumps(body).encode()))
        return started["execution_id"]

    def wait_until(self, execution_id: str, status: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while (seen := self.record(execution_id)["status"]) != status:
            assert time.monotonic() < deadline, f"{execution_id} is still {seen}"
            time.sleep(0.01)

    def hold_time(self) -> None:
        """From now on this account's clock moves only by `let_pass`."""
        self._send("PATCH", "/_emulator/clock", json.dumps({"mode": "manual"}).encode())

    def let_pass(self, duration: str) -> None:
        self._send("POST", "/_emulator/clock/advance", json.dumps({"by": duration}).encode())

    def queue(self, scenario: str) -> None:
        """Have this account's next submission take that scenario."""
        self._send("POST", "/_emulator/queue", json.dumps({"scenario": scenario}).encode())

    def _send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            answer: bytes = response.read()
        return answer

    def _environment(self) -> dict[str, str]:
        # Nothing of the developer's own environment: no proxies, no LYCEUM_ORG, no colours.
        return {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "1000",  # wide enough that nothing we compare is wrapped
        }


def execution_id_in(stdout: str) -> str:
    """The id in the line that every start command prints."""
    (line,) = [line for line in stdout.split("\n") if "Execution ID: " in line]
    return line.rpartition("Execution ID: ")[2]


def table_in(stdout: str) -> Table:
    """The one table in what a command printed."""
    lines = stdout.split("\n")
    # Newer versions frame the header with the same bars as the rows, older ones with heavy bars.
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    header_looks_like_a_row = not any(line.startswith("┃") for line in lines)
    return Table(lines[0].strip(), cells[1:] if header_looks_like_a_row else cells)


def as_printed(timestamp: str) -> str:
    """A timestamp of the API as the client shows it."""
    return timestamp[:19].replace("T", " ")
