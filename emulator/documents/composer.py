"""Nodes from the events of a YAML parser, within bounds: the step that YAML calls composing.

Aliases share the node that they stand for; what they would come to if written out is counted before they are
taken, so that a text built to explode is refused while it is still small.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

import yaml
from msgspec import Struct, field
from msgspec.structs import replace

from emulator.documents.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode
from emulator.documents.syntax import cut, plain_value
from emulator.errors import Problem

_TAG = "tag:yaml.org,2002:"
_CONTAINER_TAGS = {"seq": f"{_TAG}seq", "map": f"{_TAG}map"}
_SCALAR_TAGS = frozenset(f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null"))
_SURROGATE = re.compile("[\ud800-\udfff]")


class Rules(Struct, frozen=True):
    """What a text may be. Sizes count UTF-8 bytes; nodes count as if every alias were written out.

    `lenient` reads what other tools' files rely on: merge keys (`<<`) and tags of their own (`!reset`).
    """

    max_bytes: int = 1024 * 1024
    max_depth: int = 64
    max_nodes: int = 100_000
    lenient: bool = False


class Refusal(Exception):
    """The text breaks a rule that reading cannot go on from."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class _Mark(Protocol):
    line: int
    column: int


class _Open(Struct):
    """A list or mapping whose end has not been seen."""

    event: Any
    items: list[Node] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    key_lines: dict[str, int] = field(default_factory=dict)
    key: tuple[str, int, int] | None = None
    size: int = 1
    height: int = 1

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.event, yaml.MappingStartEvent)


class _Anchored(Struct, frozen=True):
    node: Node
    size: int
    height: int


class Composer(Struct):
    """Nodes from events, with a stack of its own in place of recursion."""

    rules: Rules
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, _Anchored | None] = field(default_factory=dict)
    _nodes: int = 0
    _documents: int = 0

    def take(self, event: Any) -> None:  # noqa: ANN401 - the parser's events have no common typed base
        mark = event.start_mark
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _refused(mark, "a second document starts here: one file holds one, remove the `---`")
        elif isinstance(event, yaml.ScalarEvent):
            self._add(self._scalar(event), 1, 0, event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(str(event.anchor), mark)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self._stack.pop()
            line, column = closed.event.start_mark.line + 1, closed.event.start_mark.column + 1
            node: Node = (
                MappingNode(tuple(closed.entries), line, column)
                if closed.is_mapping
                else SequenceNode(tuple(closed.items), line, column)
            )
            self._add(node, closed.size, closed.height, closed.event.anchor)

    def _open(self, event: Any) -> None:  # noqa: ANN401 - as in take
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        self._check_tag(event, {_CONTAINER_TAGS[kind]})
        if self._stack and self._stack[-1].is_mapping and self._stack[-1].key is None:
            shown = "{" if kind == "map" else "["
            raise _refused(event.start_mark, f"a key must be a word: put text that starts with `{shown}` in quotes")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(event))
        self._check_depth(0, event.start_mark)

    def _alias(self, anchor: str, mark: _Mark) -> None:
        name = cut(anchor)
        if anchor not in self._anchors:
            message = f"`*{name}` stands for what `&{name}` marks, and nothing does"
            raise _refused(mark, f"{message}: if text is meant, put it in quotes, `'*{name}'`")
        anchored = self._anchors[anchor]
        if anchored is None:
            raise _refused(mark, f"`*{name}` stands inside what `&{name}` marks, so it would never end")
        self._check_depth(anchored.height, mark)
        node = anchored.node
        if isinstance(node, ScalarNode):  # problems are shown where it is used
            node = replace(node, line=mark.line + 1, column=mark.column + 1)
        self._add(node, anchored.size, anchored.height, None, mark)

    def _scalar(self, event: Any) -> ScalarNode:  # noqa: ANN401 - as in take
        mark, text = event.start_mark, event.value
        self._check_tag(event, _SCALAR_TAGS)
        if _SURROGATE.search(text):
            raise _refused(mark, "half of a surrogate pair (`\\ud800` to `\\udfff`), which is no character")
        plain = event.tag not in (None, "!", f"{_TAG}str") or (event.tag is None and event.implicit[0])
        return ScalarNode(plain_value(text) if plain else text, text, mark.line + 1, mark.column + 1, plain)

    def _add(self, node: Node, size: int, height: int, anchor: str | None, mark: _Mark | None = None) -> None:
        """Give a finished node to the list or mapping that it belongs to."""
        self._nodes += 1 if mark is None else size  # an alias counts as what it stands for
        if self._nodes > self.rules.max_nodes:
            line, column = (node.line, node.column) if mark is None else (mark.line + 1, mark.column + 1)
            message = f"more than {self.rules.max_nodes} values, counting what aliases stand for"
            raise Refusal(Problem(message, "", line, column))
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, size, height)
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._key(node)
        else:
            self._entry(parent, parent.key, node)
            parent.key = None

    def _key(self, node: Node) -> tuple[str, int, int]:
        if not isinstance(node, ScalarNode):
            raise Refusal(Problem("a key must be a word, not a list or a mapping", "", node.line, node.column))
        if not node.text:
            raise Refusal(Problem("a key is missing before this `:`", "", node.line, node.column))
        return node.text, node.line, node.column

    def _entry(self, parent: _Open, key: tuple[str, int, int], value: Node) -> None:
        name, line, column = key
        if name == "<<" and not self.rules.lenient:
            message = "merge keys (`<<`) are not read: write the keys out"
            self.problems.append(Problem(message, "", line, column))
            parent.entries.append(Entry(name, value, line, column))  # readers know that keys are hidden in it
        elif name in parent.key_lines:
            message = f"`{cut(name)}` is given twice: first in line {parent.key_lines[name]}"
            self.problems.append(Problem(message, "", line, column))
        else:
            parent.key_lines[name] = line
            parent.entries.append(Entry(name, value, line, column))

    def _check_depth(self, height: int, mark: _Mark) -> None:
        if len(self._stack) + height > self.rules.max_depth:
            raise _refused(mark, f"lists and mappings are nested more than {self.rules.max_depth} deep")

    def _check_tag(self, event: Any, known: frozenset[str] | set[str]) -> None:  # noqa: ANN401 - as in take
        tag = event.tag
        if tag is None or tag == "!" or tag in known or (self.rules.lenient and not tag.startswith(_TAG)):
            return
        shown = cut("!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag)
        raise _refused(event.start_mark, f"the tag `{shown}` is not read: put text that starts with `!` in quotes")


def _refused(mark: _Mark, message: str) -> Refusal:
    return Refusal(Problem(message, "", mark.line + 1, mark.column + 1))
