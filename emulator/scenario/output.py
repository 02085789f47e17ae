"""What a run prints: texts with placeholders and their times."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from msgspec import Struct, field

from emulator.scenario.ranges import NumberRange, Ramp

MAX_OUTPUT_LINES = 100_000
"""So many lines at most does a run write: a file that says more is refused, a run without end falls silent."""


class OutputStream(StrEnum):
    STDOUT = "stdout"
    STDERR = "stderr"


class Placeholder(Struct, frozen=True):
    """`{loss:.4f}` in a text: the field's name and its format spec (`[0-9.]{0,4}[dfeg]`, or empty).

    `d` rounds to a whole number.
    """

    name: str
    spec: str = ""


Template: TypeAlias = tuple[str | Placeholder, ...]
"""A text cut at its placeholders; `{{` and `}}` already stand for braces."""

FieldSpec: TypeAlias = Ramp | NumberRange | int | float | str
"""What a placeholder is filled with: a ramp over the entry's span, a draw per line, or a constant."""


class OutputEntry(Struct, frozen=True):
    """One entry of `output`: a text at one time (`every_ms` is None), or repeated.

    Times count from the start of running. A repeated entry goes on to `until_ms`, or to the end of running.
    """

    text: Template
    stream: OutputStream = OutputStream.STDOUT
    from_ms: int = 0
    every_ms: int | None = None
    until_ms: int | None = None
    fields: Mapping[str, FieldSpec] = field(default_factory=lambda: MappingProxyType({}))
