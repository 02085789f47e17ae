"""docs/limits.md: its numbers are the code's."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from msgspec import Struct

from emulator.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "limits.md").read_text("utf-8")
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "s": 1, "": 1}


class Row(NamedTuple):
    limit: str
    default: str
    beyond: str
    option: str
    place: str


def rows() -> list[Row]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"]
    return [Row(*row) for row in cells if row[0] not in ("Limit", "---")]


def value_at(place: str) -> object:
    """What stands in `emulator` at `module.NAME`, `module.NAME.attribute` or `module.Struct.field`."""
    parts = place.strip("`").split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: object = import_module(f"emulator.{'.'.join(parts[:cut])}")
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if isinstance(found, type) and issubclass(found, Struct):
                found = found()
            found = getattr(found, part)
        return found
    raise AssertionError(f"there is no module in {place}")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.place)
def test_the_number_is_the_codes(row: Row) -> None:
    told = re.match(r"([0-9,]+) ?(KiB|MiB|s)?(?:$|,)", row.default)
    assert told, f"{row.default!r} is no number"
    assert value_at(row.place) == int(told[1].replace(",", "")) * UNITS[told[2] or ""]


def test_there_are_rows_and_each_limit_is_there_once() -> None:
    places = [row.place for row in rows()]
    assert len(places) == len(set(places)) > 20


@pytest.mark.parametrize("option", [row.option for row in rows() if row.option])
def test_every_option_exists(option: str) -> None:
    shown = CliRunner().invoke(main, ["serve", "--help"]).output
    assert f"{option.strip('`')} " in shown
