"""What the commands' options have in common: variables, durations, instants, and how a refusal is told."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from emulator.errors import EmulatorError, Invalid
from emulator.times import parse_duration_ms, parse_instant_ms

REFUSED = 2
"""Exit code of a command that could not do what was asked; click uses the same for options that it cannot read."""

EXAMPLE_KEY = "lk_local_development"
"""The key that a person is told to use who names none."""

VARIABLE_PREFIX = "LYCEUM_EMULATOR_"
"""What the names of the variables begin with that set options."""

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
F = TypeVar("F", bound=Callable[..., Any])


class Duration(click.ParamType[int]):
    """`5s`, `1m30s`: milliseconds. Above zero, unless `zero` allows that as well."""

    name = "duration"

    def __init__(self, *, zero: bool = False) -> None:
        self.zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        ms = value if isinstance(value, int) else parse_duration_ms(value)
        if ms is None or (ms == 0 and not self.zero):
            above = "" if self.zero else " above zero"
            self.fail(f"{value!r} is not a duration{above} such as 5s, 1m30s or 500ms", param, ctx)
        return ms


class Pair(click.ParamType[tuple[str, str]]):
    """`key=value`."""

    name = "key=value"

    def convert(
        self,
        value: Any,  # noqa: ANN401
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, str]:
        key, equals, rest = value.partition("=") if isinstance(value, str) else (value[0], "=", value[1])
        if not key or not equals:
            self.fail(f"{value!r} is not a pair such as team=vision", param, ctx)
        return key, rest


class VariableName(click.ParamType[str]):
    """`HF_TOKEN`: the name of an environment variable, without a value."""

    name = "variable"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        name, equals, _ = value.partition("=")
        if equals:  # the value is not said again: it may be a secret
            self.fail(f"write {name!r} without a value, which nothing reads", param, ctx)
        if not _VARIABLE_NAME.fullmatch(name):
            self.fail(f"{name!r} is not the name of an environment variable such as HF_TOKEN", param, ctx)
        return str(name)


class Instant(click.ParamType[int]):
    """`2026-01-01T00:00:00Z`: milliseconds since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        ms = value if isinstance(value, int) else parse_instant_ms(value)
        if ms is None:
            self.fail(f"{value!r} is not a time such as 2026-01-01T00:00:00Z", param, ctx)
        return ms


def option(*names: str, **settings: Any) -> Callable[[F], F]:  # noqa: ANN401
    """An option that a variable LYCEUM_EMULATOR_... sets as well."""
    variable = VARIABLE_PREFIX + names[0].removeprefix("--").upper().replace("-", "_")
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


scenarios_option = option(
    "--scenarios",
    "directories",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="DIR",
    help="Directory of scenario files, asked before the built-in ones. Repeatable.",
)

default_scenario_option = option(
    "--scenario",
    "default_scenario",
    default="completed",
    show_default=True,
    help="Scenario of runs that nothing else chooses one for.",
)


@contextmanager
def refusals() -> Iterator[None]:
    """An error of ours ends the command with its message and exit code 2."""
    try:
        yield
    except EmulatorError as error:
        refuse("; ".join(problem.msg for problem in error.problems) if isinstance(error, Invalid) else str(error))


def refuse(message: str) -> NoReturn:
    """End the command: it cannot do what was asked. Each line of `message` is told as a reason of its own."""
    for line in message.splitlines():
        click.echo(f"lyceum-emulator: {line}", err=True)
    sys.exit(REFUSED)
