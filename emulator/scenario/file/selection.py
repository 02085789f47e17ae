"""The `selection` of a scenario file: what a GPU selection does on which profiles, and what it does itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.documents import Node
from emulator.scenario.code_check import CPU_ONLY, NO_FRAMEWORK, NO_MODEL, NO_TRAINING_LOOP
from emulator.scenario.file.alternatives import Check, given_keys, same_keys
from emulator.scenario.file.draft import Keys
from emulator.scenario.file.durations import DurationOrRange
from emulator.scenario.file.grammar import Findings, Form, Schema, shown
from emulator.scenario.file.profiles import ProfileName
from emulator.scenario.file.records import Key, Located, Record, Table, Values
from emulator.scenario.file.scalars import Choice, Number, Text
from emulator.scenario.ranges import DurationRange

MAX_PROFILES = 50


@dataclass(frozen=True)
class Bounded(Form[float]):
    """A number from `low` to `high`, both included."""

    words: str
    low: float
    high: float

    def read(self, node: Node, path: str, findings: Findings) -> float:
        value = Number(self.words).read(node, path, findings)
        if not self.low <= value <= self.high:
            message = f"expected {self.words} from {self.low:g} to {self.high:g}, found {shown(node)}"
            raise findings.refused(node, path, message)
        return float(value)

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """One entry of `profiles`: the keys that it gives in place of the scenario's, and its speed if it gives one."""

    keys: Keys
    speed: float | None
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SelectionDraft:
    """What `selection` gives; None where it does not."""

    profiles: Mapping[str, Located[ProfileDraft]] | None
    analysis: DurationRange | None
    extraction: DurationRange | None
    processing: DurationRange | None
    error: str | None
    code_check: str | None
    parameters: float | None


SPEED: Key[float] = Key(
    "speed",
    Bounded("a factor such as `2.5`", 0.001, 1000),
    "How many times as fast as the timeline says the code runs here. If left out: as fast as the device is, compared"
    " with an A100; 1 where the profile has a `timeline` of its own.",
    2.5,
)
ANALYSIS: Key[DurationRange] = Key(
    "analysis", DurationOrRange(), "How long the look at the code takes (`running`); 1s if left out.", "1s"
)
EXTRACTION: Key[DurationRange] = Key(
    "extraction", DurationOrRange(), "How long reading the memory needs takes (`extracting`); 3s if left out.", "3s..6s"
)
PROCESSING: Key[DurationRange] = Key(
    "processing",
    DurationOrRange(),
    "How long comparing takes, once the last profile is done (`processing`); 2s if left out.",
    "2s",
)
ERROR: Key[str] = Key(
    "error",
    Text("one line of text", r"[^\n]{1,500}"),
    f"Refuses every code with this system error. Clients know `{NO_FRAMEWORK}`, `{CPU_ONLY}`, `{NO_MODEL}` and"
    f" `{NO_TRAINING_LOOP}`.",
    NO_MODEL,
)
CODE_CHECK: Key[str] = Key(
    "code_check",
    Choice(
        ["enforce", "ignore"],
        {"off": "ignore", "no": "ignore", "false": "ignore", "skip": "ignore"}
        | {"on": "enforce", "yes": "enforce", "true": "enforce"},
    ),
    "Whether a look at the code may refuse it with one of those four (`enforce`, if left out) or not (`ignore`).",
    "ignore",
)
PARAMETERS: Key[float] = Key(
    "parameters",
    Bounded("a number of billions such as `7`", 0.0001, 10_000),
    "Parameters of the model in billions, from which the memory needs follow; 1.3 if left out.",
    7,
)


def profiles_key(keys: tuple[Key[Any], ...], check: Check) -> Key[Mapping[str, Located[ProfileDraft]]]:
    """The key `profiles`, whose entries may give `keys`."""

    def build(values: Values, findings: Findings) -> ProfileDraft:
        return ProfileDraft(given_keys(values, keys), values.get(SPEED, None))

    def salvage(values: Values) -> ProfileDraft:
        return ProfileDraft(given_keys(values, keys), None, values.unread)

    strangers = {
        "hardware": "the profile is the hardware: it is named already",
        "weight": "a selection tries every profile: `weight` goes with `variants`",
        "selection": "a selection has no selection inside",
    }
    record: Record[ProfileDraft] = Record(
        "a mapping of keys to override, or `{}` for the scenario as it is",
        (SPEED, *same_keys(keys)),
        build,
        check,
        synonyms={"factor": "speed", "relative_speed": "speed"},
        strangers=strangers,
        salvage=salvage,
    )
    return Key(
        "profiles",
        Table(
            ProfileName("a GPU profile such as `gpu.h100`", gpus_only=True),
            record,
            "a mapping from profiles to what differs there, such as `gpu.h100: {}`",
            1,
            MAX_PROFILES,
        ),
        "The profiles to try, and the keys in which each differs from the scenario; all GPU profiles that are listed,"
        " if left out.",
        {"gpu.a100": {}, "gpu.h100": {"speed": 2.5}},
    )


def selection_keys(keys: tuple[Key[Any], ...], check: Check) -> tuple[Key[Any], ...]:
    return (profiles_key(keys, check), ANALYSIS, EXTRACTION, PROCESSING, ERROR, CODE_CHECK, PARAMETERS)


def selection(keys: tuple[Key[Any], ...], check: Check) -> Record[SelectionDraft]:
    """The form of `selection`, whose profiles may give `keys`."""
    own = selection_keys(keys, check)
    profiles: Key[Mapping[str, Located[ProfileDraft]]] = own[0]

    def build(values: Values, findings: Findings) -> SelectionDraft:
        return SelectionDraft(
            values.readable(profiles, None),
            values.get(ANALYSIS, None),
            values.get(EXTRACTION, None),
            values.get(PROCESSING, None),
            values.get(ERROR, None),
            values.get(CODE_CHECK, None),
            values.get(PARAMETERS, None),
        )

    def salvage(values: Values) -> SelectionDraft:
        return build(values, Findings())

    return Record(
        "keys of a GPU selection, such as `profiles`",
        own,
        build,
        synonyms={"gpus": "profiles", "hardware": "profiles", "devices": "profiles", "system_error": "error"}
        | {"extracting": "extraction", "check": "code_check", "look": "code_check", "model_size": "parameters"},
        strangers={"speed": "`speed` goes into an entry of `profiles`"},
        salvage=salvage,
    )
