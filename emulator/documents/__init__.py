"""Untrusted YAML or JSON text as a tree of nodes with their places, read within bounds.

The parser's events are taken one at a time, and size, depth and what aliases would expand to are counted as
they come. Plain words are read by the rules of YAML 1.2, where `yes`, `1:30` and `1_000` are text: YAML 1.1
would make them True, 90 and 1000.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from emulator.documents.composer import Composer, Refusal, Rules
from emulator.documents.nodes import Entry, MappingNode, Node, PlainData, ScalarNode, SequenceNode, plain_data
from emulator.documents.syntax import explain_syntax_error
from emulator.errors import Problem

__all__ = [
    "COMPOSE",
    "SCENARIO",
    "Document",
    "Entry",
    "MappingNode",
    "Node",
    "PlainData",
    "Rules",
    "ScalarNode",
    "SequenceNode",
    "plain_data",
    "read_document",
]

_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# `json.dumps` writes what lies beyond the basic plane as two escapes, which YAML does not know.
_JSON_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


SCENARIO = Rules()
COMPOSE = Rules(max_bytes=512 * 1024, max_depth=32, max_nodes=20_000, lenient=True)
"""For compose files. The limits are ours: the service's are not known."""


class Document(Struct, frozen=True):
    """What was read. `root` is None when the text is empty or does not parse.

    A problem that reading can go on from (a key given twice) leaves a root beside the problems.
    """

    root: Node | None
    problems: tuple[Problem, ...] = ()

    def plain(self) -> PlainData:
        """The values without their places, merge keys applied; None for an empty document."""
        return None if self.root is None else plain_data(self.root)


def read_document(text: str, rules: Rules = SCENARIO) -> Document:
    """Read `text` within the bounds of `rules`; never raises for what the text says.

    Takes time linear in the text, and a stack bounded by `rules.max_depth`.
    """
    text = text.removeprefix("\ufeff")
    problem = _unacceptable(text, rules)
    if problem is not None:
        return Document(None, (problem,))
    if text.lstrip().startswith("{"):
        text = _JSON_PAIR.sub(_joined_pair, text)
    composer = Composer(rules)
    try:
        for event in _events(text):
            composer.take(event)
    except Refusal as refusal:
        return Document(None, (*composer.problems, refusal.problem))
    except yaml.MarkedYAMLError as error:
        return Document(None, (*composer.problems, explain_syntax_error(text, error)))
    return Document(composer.root, tuple(composer.problems))


def _unacceptable(text: str, rules: Rules) -> Problem | None:
    """Why `text` is not given to the parser at all."""
    if len(text) > rules.max_bytes or len(text.encode("utf-8", "surrogatepass")) > rules.max_bytes:
        return Problem(f"the text is longer than {rules.max_bytes // 1024} KiB, the most that is read")
    found = _UNREADABLE.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    line, column = before.count("\n") + 1, found.start() - before.rfind("\n")
    code = ord(found.group())
    escape = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    message = f'the unprintable character U+{code:04X}: inside double quotes it is written `"{escape}"`'
    if 0xD800 <= code < 0xE000:
        message = f"half of a surrogate pair (U+{code:04X}), which is no character"
    return Problem(message, line=line, column=column)


def _joined_pair(match: re.Match[str]) -> str:
    backslashes, high, low = match.groups()
    return f"{backslashes}\\U{0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00:08x}"


def _events(text: str) -> Iterator[Any]:
    loader = LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


class PureLoader(yaml.SafeLoader):
    """PyYAML's own parser, taking tabs for white space where libyaml does: JSON may be indented with them."""

    def scan_to_next_token(self) -> None:
        while True:
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0\r\n":
                    self.forward()
            if not self.scan_line_break():  # type: ignore[no-untyped-call]  # as the stubs have it
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str] | None:  # noqa: ANN401 - theirs
        length = 0
        while self.peek(length) in " \t":
            length += 1
        blank = self.prefix(length)
        if self.peek(length) not in "\r\n":
            self.forward(length)
            return [blank] if blank else []
        self.forward(length)
        return super().scan_plain_spaces(indent, start_mark)


LOADER: Any = getattr(yaml, "CSafeLoader", PureLoader)
