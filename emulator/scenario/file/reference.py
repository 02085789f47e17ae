"""The tables of docs/scenarios.md that follow from the code.

`python -m emulator.scenario.file.reference docs/scenarios.md` brings them up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.file.alternatives import NAME, WEIGHT
from emulator.scenario.file.conditions import MATCH
from emulator.scenario.file.faults import OF_RUN
from emulator.scenario.file.keys import KEYS, SELECTION_FORM
from emulator.scenario.file.metrics import FOR, PHASE, QUANTITIES, SHAPE
from emulator.scenario.file.output import AT, EVERY, FIELDS, FROM, STREAM, TEXT, UNTIL
from emulator.scenario.file.records import Key
from emulator.scenario.file.selection import SPEED
from emulator.scenario.file.shapes import BEAT_KEYS
from emulator.scenario.file.telemetry import DISTURBANCE_KEYS
from emulator.scenario.library import Library
from emulator.scenario.metrics import ShapeName
from emulator.scenario.model import Scenario
from emulator.series_names import SERIES_NAMES

_TABLE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def tables() -> dict[str, str]:
    """Each table by the name that the page marks its place with."""
    return {
        "built-in": _built_in(Library.load(built_in=SCENARIO_DIRECTORY).scenarios()),
        "keys": _table(("Key", "What it says"), ((f"[`{key.name}`](#{key.name})", key.doc) for key in KEYS)),
        "match": _keys(MATCH.keys),
        "output": _keys((AT, EVERY, FROM, UNTIL, STREAM, TEXT, FIELDS)),
        "phases": _keys((PHASE, FOR, SHAPE, *QUANTITIES.values())),
        "alternatives": _keys((WEIGHT, NAME)),
        "beats": _keys(BEAT_KEYS),
        "disturbances": _keys(DISTURBANCE_KEYS),
        "faults": _keys(OF_RUN.keys),
        "selection": _keys(SELECTION_FORM.keys),
        "profiles": _keys((SPEED,)),
        "shapes": _listed(shape.value for shape in ShapeName),
        "series": _listed(SERIES_NAMES),
    }


def with_tables(page: str) -> str:
    """`page` with its tables as they are now."""
    current = tables()
    return _TABLE.sub(lambda found: found[1] + current[found[2]] + found[3], page)


def _built_in(scenarios: Iterable[Scenario]) -> str:
    rows = ((f"`{each.name}`", each.summary, _end_of(each)) for each in scenarios)
    return _table(("Name", "Story", "Ends"), sorted(rows))


def _end_of(scenario: Scenario) -> str:
    alternatives = (*scenario.sequence, *(variant.scenario for variant in scenario.variants))
    ends = dict.fromkeys(_one_end(each) for each in alternatives or (scenario,))
    return ", or ".join(ends)


def _one_end(scenario: Scenario) -> str:
    ending = scenario.ending
    if ending is None:
        return "when stopped"
    return f"`{ending.status}`" + (f" ({ending.return_code})" if ending.return_code else "")


def _keys(keys: Iterable[Key[Any]]) -> str:
    rows = ((f"`{key.name}`", key.doc, "" if key.example is None else f"`{_line(key)}`") for key in keys)
    return _table(("Key", "What it says", "Example"), rows)


def _line(key: Key[Any]) -> str:
    return key.written().replace("\n", " ")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words) + ".\n"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_tables(page.read_text("utf-8")), "utf-8")
