"""The scenario format as JSON Schema, for editors: generated from the grammar that reads the files."""

from __future__ import annotations

import json

from emulator.scenario.file.format import file_record
from emulator.scenario.file.grammar import Schema

BEYOND_SCHEMA = (
    "statuses come in their order, each once; nothing follows an ending or `until_stopped`",
    "ranges do not run backwards, and no duration is longer than ten years",
    "`every` is longer than 0s, and `until` does not come before `from`",
    "placeholders name a field, with a number format that exists",
    "nothing is written after the end of running, and not more than 100,000 lines or 64 MiB",
    "both ends of a ramp or range of power have the same unit",
    "only the last phase of `metrics` leaves out `for`, and its shapes exist",
    "beats come back after half a second to a day, last less than that, and are not too many",
    "`until` of a disturbance or a fault comes after its `from`",
    "a fault is at an operation that exists, is about the run and can go wrong in this way, and waits a minute at most",
    "the answer of a fault has a body of at most 64 KiB, none with 204 and 304, and no header that follows from it",
    "two keys of a series are not the same time",
    "patterns can match: brackets are closed, profiles in lower case, conditions exist for the `kind`",
    "numbers in `result` are finite and fit 64 bits",
    "`extends` names another scenario, and not in a circle; keys of several files or entries fit together",
    "`after_sequence` comes with a `sequence`",
    "the `profiles` of a `selection` exist, have GPUs, and are not the same",
    "a file is at most 1 MiB, 64 levels deep, one document, without merge keys or a key given twice",
)
"""What the reader checks and no JSON Schema can say."""


def scenario_schema() -> Schema:
    """JSON Schema (2020-12) of a scenario file: it accepts what the reader does, but for BEYOND_SCHEMA."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Scenario of lyceum-emulator",
        "description": "What a run does: its statuses in time, what it prints, what its GPU shows.",
        "$comment": "Generated from emulator/scenario/file/keys.py. The reader also checks: "
        + "; ".join(BEYOND_SCHEMA)
        + ".",
    } | file_record().schema()


def schema_text() -> str:
    """The schema as `scenarios/schema.json` holds it."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
