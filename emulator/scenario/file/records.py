"""Forms made of others: alternatives, lists, tables, and records with known, documented keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar, cast

import yaml

from emulator.documents import Entry, MappingNode, Node, ScalarNode, SequenceNode
from emulator.documents.syntax import cut
from emulator.scenario.file.grammar import Findings, Form, Schema, Unread, listed, nearest, shown
from emulator.scenario.json_value import Json

D = TypeVar("D")
K = TypeVar("K")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class ByShape(Form[T_co]):
    """One form for a single value, another for a mapping: what is found decides whose errors are shown."""

    words: str
    scalar: Form[T_co] | None = None
    mapping: Form[T_co] | None = None

    def read(self, node: Node, path: str, findings: Findings) -> T_co:
        form = {ScalarNode: self.scalar, MappingNode: self.mapping}.get(type(node))
        if form is None:
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")
        return form.read(node, path, findings)

    def schema(self) -> Schema:
        return {"anyOf": [form.schema() for form in (self.scalar, self.mapping) if form is not None]}


@dataclass(frozen=True)
class Located(Generic[T_co]):
    """A value with where it stood, for rules that look at several values."""

    value: T_co
    node: Node
    path: str


@dataclass(frozen=True)
class ListOf(Form[tuple[Located[T_co], ...]]):
    """A list of one form. What is salvaged of one are its sound entries, and what could be salvaged of the others."""

    item: Form[T_co]
    words: str
    max_items: int = 10_000
    min_items: int = 0

    def read(self, node: Node, path: str, findings: Findings) -> tuple[Located[T_co], ...]:
        if not isinstance(node, SequenceNode):
            hint = ": start each entry with `- `" if isinstance(node, MappingNode) else ""
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}{hint}")
        if len(node.items) < self.min_items:
            raise findings.refused(node, path, f"expected {self.words}, found an empty one")
        if len(node.items) > self.max_items:
            found = f"found {len(node.items)}"
            raise findings.refused(node, path, f"expected {self.words} of at most {self.max_items} entries, {found}")
        read: list[Located[T_co]] = []
        sound = True
        for index, item in enumerate(node.items):
            if findings.full:
                raise Unread(tuple(read))
            at = f"{path}[{index}]"
            try:
                read.append(Located(self.item.read(item, at, findings), item, at))
            except Unread as unread:
                sound = False
                if unread.salvaged is not None:
                    read.append(Located(cast(T_co, unread.salvaged), item, at))
        if not sound:
            raise Unread(tuple(read))
        return tuple(read)

    def schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self.item.schema(), "maxItems": self.max_items}
        return schema | ({"minItems": self.min_items} if self.min_items else {})


@dataclass(frozen=True)
class Table(Form[Mapping[K, Located[T_co]]]):
    """A mapping with keys of the writer's choosing, each of which `key` must accept.

    What is salvaged of one has all its keys, with None for a value of which nothing could be read. Nothing is if
    one of the keys is wrong: it may be meant for any other.
    """

    key: Form[K]
    value: Form[T_co]
    words: str
    min_entries: int = 0
    max_entries: int = 10_000

    def read(self, node: Node, path: str, findings: Findings) -> Mapping[K, Located[T_co]]:
        if not isinstance(node, MappingNode):
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")
        if len(node.entries) < self.min_entries:
            raise findings.refused(node, path, f"expected {self.words}, found an empty one")
        if len(node.entries) > self.max_entries:
            message = f"expected {self.words} of at most {self.max_entries} entries, found {len(node.entries)}"
            raise findings.refused(node, path, message)
        read: dict[K, Located[T_co]] = {}
        sound = keys_sound = True
        for entry in node.entries:
            if findings.full:
                raise Unread
            at = f"{path}.{cut(entry.key)}"
            name = ScalarNode(entry.key, entry.key, entry.line, entry.column)
            try:
                key = self.key.read(name, at, findings)
                if key in read:
                    first = read[key].node.line
                    message = f"`{cut(entry.key)}` is the same as a key in line {first}"
                    raise findings.refused(entry, at, message, beyond_schema=True)
            except Unread:
                keys_sound, key = False, None
            try:
                value = self.value.read(entry.value, at, findings)
            except Unread as unread:
                sound, value = False, cast(T_co, unread.salvaged)
            if key is not None:
                read[key] = Located(value, entry.value, at)
        if not (sound and keys_sound):
            raise Unread(read if keys_sound else None)
        return read

    def schema(self) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self.value.schema()}
        names = {key: value for key, value in self.key.schema().items() if key != "type"}
        schema |= ({"propertyNames": names} if names else {}) | {"maxProperties": self.max_entries}
        return schema | ({"minProperties": self.min_entries} if self.min_entries else {})


class _OneLine(yaml.SafeDumper):
    """Writes the line ends within texts as `\\n`, where YAML has blank lines otherwise."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"' if "\n" in data else None)


_OneLine.add_representer(str, _OneLine.represent_str)


@dataclass(frozen=True)
class Key(Generic[T_co]):
    """One key of a record: its form, and its documentation, shown by editors and printed by the schema."""

    name: str
    form: Form[T_co]
    doc: str
    example: Json = None
    required: bool = False

    def written(self) -> str:
        """The key with its example, as a file has it."""
        text: str = yaml.dump({self.name: self.example}, Dumper=_OneLine, default_flow_style=True, width=1000)
        return text.strip()[1:-1]

    def schema(self) -> Schema:
        schema = {"description": self.doc} | self.form.schema()
        return schema | ({"examples": [self.example]} if self.example is not None else {})


_MISSING: Final = object()


@dataclass(slots=True)
class Values:
    """The keys of one mapping that could be read."""

    node: MappingNode
    path: str
    read: dict[str, object] = field(default_factory=dict)
    salvaged: dict[str, object] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def __contains__(self, key: Key[Any]) -> bool:
        return key.name in self.read

    def tried(self, key: Key[Any]) -> bool:
        """Whether the mapping has `key`, be it unreadable or misspelt."""
        return key.name in self.read or key.name in self.failed

    def __getitem__(self, key: Key[T]) -> T:
        return cast(T, self.read[key.name])

    def get(self, key: Key[T], default: D) -> T | D:
        value = self.read.get(key.name, _MISSING)
        return default if value is _MISSING else cast(T, value)

    def readable(self, key: Key[T], default: D) -> T | D:
        """The value of `key`, or as much of it as could be read."""
        value = self.salvaged.get(key.name)
        return self.get(key, default) if value is None else cast(T, value)

    @property
    def unread(self) -> frozenset[str]:
        """The keys that are there, and of whose values nothing could be read."""
        return frozenset(name for name in self.failed if self.salvaged.get(name) is None)

    def entry(self, key: Key[Any]) -> Entry:
        return next(entry for entry in self.node.entries if entry.key == key.name)


@dataclass(frozen=True)
class Record(Form[T_co]):
    """A mapping with known keys.

    `build` makes the value once every key was read; it may refuse. `check` notes what is wrong between keys,
    and is called even if some of them failed; then `salvage` makes what rules further out need of those that did
    not. `constraint` is what a schema can say of both. `synonyms` lead from keys that people try to the right ones,
    `strangers` to what to say about keys that belong elsewhere.
    """

    words: str
    keys: tuple[Key[Any], ...]
    build: Callable[[Values, Findings], T_co]
    check: Callable[[Values, Findings], None] | None = None
    constraint: Schema = field(default_factory=dict)
    synonyms: Mapping[str, str] = field(default_factory=dict)
    strangers: Mapping[str, str] = field(default_factory=dict)
    salvage: Callable[[Values], object] | None = None

    def read(self, node: Node, path: str, findings: Findings) -> T_co:
        if not isinstance(node, MappingNode):
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}{_unspaced(node)}")
        values = self._values(node, path, findings)
        before = len(findings.found)
        for key in self.keys:
            if key.required and key not in values and key.name not in values.failed:
                findings.note(node, path, f"`{key.name}` is missing: write for example `{key.written()}`")
        if self.check is not None:
            self.check(values, findings)
        if values.failed or findings.full or len(findings.found) > before:
            raise Unread(None if self.salvage is None else self.salvage(values))
        return self.build(values, findings)

    def _values(self, node: MappingNode, path: str, findings: Findings) -> Values:
        values, keys = Values(node, path), {key.name: key for key in self.keys}
        for entry in node.entries:
            if findings.full:
                break
            at = f"{path}.{entry.key}" if path else entry.key
            key = keys.get(entry.key)
            if entry.key == "<<":  # a merge key, which was complained about; any key may be hidden in it
                values.failed.update(keys)
                continue
            if key is None:
                near = None if entry.key in self.strangers else nearest(entry.key, list(keys), self.synonyms)
                values.failed.add(near or entry.key)
                findings.note(entry, path, self._unknown(entry.key, near))
                continue
            try:
                values.read[key.name] = key.form.read(entry.value, at, findings)
            except Unread as unread:
                values.failed.add(key.name)
                values.salvaged[key.name] = unread.salvaged
        return values

    def _unknown(self, word: str, near: str | None) -> str:
        if near is not None:
            return f"there is no key `{cut(word)}` here: did you mean `{near}`?"
        if word in self.strangers:
            return self.strangers[word]
        names = [key.name for key in self.keys]
        known = f"the keys are {listed(names, 'and')}" if len(names) > 1 else f"the only one is `{names[0]}`"
        return f"there is no key `{cut(word)}` here: {known}"

    def schema(self) -> Schema:
        required = [key.name for key in self.keys if key.required]
        schema: Schema = {"type": "object", "properties": {key.name: key.schema() for key in self.keys}}
        schema |= {"required": required} if required else {}
        return schema | {"additionalProperties": False} | self.constraint


def _unspaced(node: Node) -> str:
    """For `pending:4s`, which YAML takes for a word."""
    found = re.match(r"(\w+):(\S.*)", node.text) if isinstance(node, ScalarNode) else None
    return f": a space is missing after the colon, write `{cut(f'{found[1]}: {found[2]}')}`" if found else ""
