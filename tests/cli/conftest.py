"""The command in this process, in a directory of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from emulator.cli import main


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert (self.code, self.err) == (0, "")
        return json.loads(self.out)

    def lines(self) -> list[str]:
        return self.out.splitlines()


Scenario = Callable[..., Said]
Write = Callable[[str, str], Path]


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """Runs `lyceum-emulator scenario` in an empty directory, without variables but those given."""
    monkeypatch.chdir(tmp_path)
    unset: dict[str, str | None] = {name: None for name in os.environ if name.startswith("LYCEUM_")}

    def scenario(*arguments: str | Path, **variables: str) -> Said:
        runner = CliRunner(env=unset | {"COLUMNS": "120"} | variables)
        result = runner.invoke(main, ["scenario", *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return scenario


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file under the directory in which commands are run."""

    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write
