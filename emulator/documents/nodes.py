"""A document as a tree: single values, lists and mappings, each with its place in the text."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct


class ScalarNode(Struct, frozen=True):
    """One value; `text` is what was written, without its quotes; `plain` if it had none."""

    value: bool | int | float | str | None
    text: str
    line: int
    column: int
    plain: bool = False


class SequenceNode(Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int


class Entry(Struct, frozen=True):
    """One `key: value`. Keys are always text: `1: x` and `"1": x` are the same."""

    key: str
    value: Node
    line: int
    column: int


class MappingNode(Struct, frozen=True):
    """Keys with values, in the order of the text, each key once."""

    entries: tuple[Entry, ...]
    line: int
    column: int


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode
PlainData: TypeAlias = "bool | int | float | str | list[PlainData] | dict[str, PlainData] | None"


def plain_data(node: Node) -> PlainData:
    """The value of `node` without places."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [plain_data(item) for item in node.items]
    own = {entry.key: plain_data(entry.value) for entry in node.entries if entry.key != "<<"}
    for entry in node.entries:
        if entry.key == "<<":
            merged = plain_data(entry.value)
            for source in merged if isinstance(merged, list) else [merged]:
                if isinstance(source, dict):
                    own = source | own
    return own
