"""What `--help` says and what it costs, and that every command is documented."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from emulator.cli import main
from emulator.cli.scenarios import scenario as group
from tests.cli.conftest import Scenario

SLOW = ("rich", "yaml", "numpy", "starlette", "uvicorn", "faker", "jsonschema_rs", "orjson")


@pytest.mark.parametrize("arguments", [["--help"], ["scenario", "--help"], ["scenario", "simulate", "--help"]])
def test_help_waits_for_nothing_that_is_slow_to_import(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom emulator.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        f"print(sorted(set({SLOW!r}) & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("Usage:")
    assert said.splitlines()[-1] == "[]"


def test_the_group_documents_its_exit_codes(scenario: Scenario) -> None:
    lines = scenario("--help").lines()
    start = next(number for number, line in enumerate(lines) if "Exit codes" in line)
    assert [line.split()[0] for line in lines[start + 1 : start + 4]] == ["0", "1", "2"]


def test_the_commands_are_those_of_the_documentation() -> None:
    assert sorted(main.commands) == ["coverage", "scenario", "serve"]
    assert sorted(group.commands) == ["check", "list", "match", "new", "plot", "schema", "show", "simulate"]


@pytest.mark.parametrize("name", sorted(group.commands))
def test_every_command_and_every_option_says_what_it_does(name: str) -> None:
    command = group.commands[name]
    silent = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
    assert (bool(command.help), silent) == (True, [])


def test_a_misspelt_command_is_refused_with_exit_code_2(scenario: Scenario) -> None:
    said = scenario("chek")
    assert said.code == 2
    assert "No such command 'chek'" in said.err
