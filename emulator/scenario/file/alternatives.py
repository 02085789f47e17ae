"""The `variants` and `sequence` of a scenario file: entries that give keys in place of the scenario's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.documents import Node, ScalarNode
from emulator.documents.syntax import cut
from emulator.scenario.file.draft import Given, Override
from emulator.scenario.file.grammar import Findings, Form, Schema
from emulator.scenario.file.records import Key, ListOf, Record, Values
from emulator.scenario.file.scalars import Integer, Text

NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{0,99}"
"""What a scenario's name, and so the name of its file, may be."""

Overrides = ListOf[Override]
Check = Callable[[Values, Findings], None]

NAME: Key[str] = Key(
    "name", Text("a name", min_length=1, max_length=100), "What to call it where a run is explained.", "flaky"
)
WEIGHT: Key[int] = Key(
    "weight",
    Integer(1, 1_000_000, "a whole number as weight"),
    "How often it is drawn, compared with the other variants; 1 if left out.",
    3,
)


@dataclass(frozen=True)
class _Same(Form[object]):
    """What a key of the whole file holds: the schema says it once, and refers to it here."""

    key: Key[Any]

    @property
    def words(self) -> str:  # type: ignore[override]  # computed, where other forms store it
        return str(self.key.form.words)

    def read(self, node: Node, path: str, findings: Findings) -> object:
        return self.key.form.read(node, path, findings)

    def schema(self) -> Schema:
        return {"$ref": f"#/properties/{self.key.name}"}


@dataclass(frozen=True)
class ScenarioName(Form[str]):
    """The name of another scenario: that of its file, without folder and ending."""

    words: str = "the name of a scenario such as `oom`"

    def _text(self) -> Text:
        return Text(self.words, NAME_PATTERN)

    def read(self, node: Node, path: str, findings: Findings) -> str:
        if isinstance(node, ScalarNode) and "/" in node.text:
            name = node.text.rstrip("/").rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
            message = f"expected {self.words}, found a path: write `{cut(name)}`"
            raise findings.refused(node, path, message)
        if isinstance(node, ScalarNode) and self._text().fits(node.text.lower()) and not self._text().fits(node.text):
            message = f"names of scenarios have no capitals: write `{cut(node.text.lower())}`"
            raise findings.refused(node, path, message)
        return self._text().read(node, path, findings)

    def schema(self) -> Schema:
        return self._text().schema()


def given_keys(values: Values, keys: tuple[Key[Any], ...]) -> dict[str, Given]:
    """Those of `keys` that a mapping has, as far as they could be read, with their places."""
    given = {}
    for key in keys:
        value = values.readable(key, None)
        if value is not None:
            entry, path = values.entry(key), f"{values.path}.{key.name}".lstrip(".")
            place = entry.value if isinstance(entry.value, ScalarNode) else entry
            given[key.name] = Given(value, path, place.line, place.column)
    return given


def same_keys(keys: tuple[Key[Any], ...]) -> tuple[Key[Any], ...]:
    """`keys` as an entry further down has them."""
    return tuple(Key(key.name, _Same(key), key.doc) for key in keys)


def _overrides(
    own: tuple[Key[Any], ...],
    keys: tuple[Key[Any], ...],
    check: Check,
    strangers: dict[str, str],
    synonyms: dict[str, str],
) -> Record[Override]:
    def build(values: Values, findings: Findings) -> Override:
        return Override(given_keys(values, keys), values.get(NAME, None), values.get(WEIGHT, 1))

    def salvage(values: Values) -> Override:
        return Override(given_keys(values, keys), unread=values.unread)

    return Record(
        "a mapping of keys to override, or `{}` for the scenario as it is",
        (*own, *same_keys(keys)),
        build,
        check,
        synonyms=synonyms,
        strangers=strangers,
        salvage=salvage,
    )


_WHOLE = {
    "match": "`match` chooses the scenario as a whole: give it once, outside",
    "summary": "`summary` is that of the whole scenario: write `name` to tell this one apart",
    "extends": "`extends` is for the whole scenario: give it once, outside",
    "after_sequence": "`after_sequence` is for the whole scenario: give it once, outside",
    "scenario": "an entry names no other scenario: give the keys in which it differs from this one",
}


def variants(keys: tuple[Key[Any], ...], check: Check) -> Overrides:
    """The form of `variants`, whose entries may give `keys`."""
    strangers = _WHOLE | {
        "variants": "a variant has no variants of its own: list them all side by side, with their weights",
        "sequence": "`sequence` cannot be drawn: put `variants` into its entries instead",
    }
    meant = dict.fromkeys(("probability", "chance", "odds", "share", "percent"), "weight") | {"label": "name"}
    record: Record[Override] = _overrides((WEIGHT, NAME), keys, check, strangers, meant)
    return ListOf(record, "a list of variants, such as `- {weight: 3}`", 100, 1)


def sequence(keys: tuple[Key[Any], ...], check: Check) -> Overrides:
    """The form of `sequence`, whose entries may give `keys`."""
    strangers = _WHOLE | {
        "times": "`times` goes with `callbacks` and `faults`: list the entry as often as it is to come",
        "weight": "`weight` goes with `variants`: the entries of a sequence come in their order",
        "sequence": "a sequence has no sequence inside: list all its entries side by side",
    }
    record: Record[Override] = _overrides((NAME,), keys, check, strangers, {"label": "name"})
    return ListOf(record, "a list of entries, such as `- {}`", 100, 1)
