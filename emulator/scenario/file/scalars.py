"""Forms of single values: texts, numbers, choices, anything that JSON can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emulator.documents import MappingNode, Node, ScalarNode, SequenceNode, plain_data
from emulator.documents.syntax import cut, is_long_integer
from emulator.scenario.file.grammar import Findings, Form, Schema, Unread, listed, nearest, shown
from emulator.scenario.json_value import Json


def is_long(node: Node) -> bool:
    """Whether `node` is a whole number of more than 64 bits, which reading left as text."""
    return isinstance(node, ScalarNode) and node.plain and isinstance(node.value, str) and is_long_integer(node.value)


@dataclass(frozen=True)
class Text(Form[str]):
    """A string; `pattern`, if any, must cover all of it and mean the same in Python and in a JSON Schema."""

    words: str = "text"
    pattern: str | None = None
    min_length: int = 0
    max_length: int | None = None

    def fits(self, text: str) -> bool:
        """Whether `text` is as the pattern says."""
        return self.pattern is None or re.fullmatch(self.pattern, text) is not None

    def read(self, node: Node, path: str, findings: Findings) -> str:
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or is_long(node):
            hint = ""
            if isinstance(node, ScalarNode):
                hint = f': write `"{cut(node.text)}"`' if node.text else " (text that starts with `#` needs quotes)"
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}{hint}")
        if len(node.value) < self.min_length:
            raise findings.refused(node, path, f"expected {self.words}, found an empty text")
        if self.max_length is not None and len(node.value) > self.max_length:
            found = f"{len(node.value)} characters"
            raise findings.refused(
                node, path, f"expected {self.words} of at most {self.max_length} characters, found {found}"
            )
        if not self.fits(node.value):
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")
        return node.value

    def schema(self) -> Schema:
        schema: Schema = {"type": "string"}
        if self.pattern is not None:
            schema["pattern"] = f"^(?:{self.pattern})$"
        if self.min_length:
            schema["minLength"] = self.min_length
        if self.max_length is not None:
            schema["maxLength"] = self.max_length
        return schema


@dataclass(frozen=True)
class Number(Form[float]):
    """A finite number."""

    words: str = "a number"

    def read(self, node: Node, path: str, findings: Findings) -> float:
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, str) and is_long(node):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}{self._hint(value)}")
        return value

    def _hint(self, value: object) -> str:
        if not isinstance(value, str):
            return ""
        bare = value.strip().replace("_", "").replace(",", "").rstrip("%")
        return f": write `{bare}`" if re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", bare) else ""

    def schema(self) -> Schema:
        return {"type": "number"}


@dataclass(frozen=True)
class Integer(Form[int]):
    """A whole number between two bounds; `5.0` is whole, as JSON Schema has it."""

    low: int
    high: int
    words: str = "a whole number"

    def read(self, node: Node, path: str, findings: Findings) -> int:
        value = Number(self.words).read(node, path, findings)
        if value != int(value):
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")
        if not self.low <= value <= self.high:
            raise findings.refused(
                node, path, f"expected {self.words} from {self.low} to {self.high}, found {shown(node)}"
            )
        return int(value)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Choice(Form[str]):
    """One of a few words; `synonyms` lead from words that people try to the right ones."""

    choices: Sequence[str]
    synonyms: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:  # type: ignore[override]  # computed, where other forms store it
        return listed(self.choices)

    def read(self, node: Node, path: str, findings: Findings) -> str:
        if isinstance(node, ScalarNode) and node.value in self.choices:
            return str(node.value)
        near = nearest(node.text, self.choices, self.synonyms) if isinstance(node, ScalarNode) else None
        if near is not None and isinstance(node, ScalarNode):
            message = f"there is no `{cut(node.text)}` here: did you mean `{near}`?"
            raise findings.refused(node, path, message)
        raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")

    def schema(self) -> Schema:
        return {"enum": list(self.choices)}


@dataclass(frozen=True)
class Yes(Form[bool]):
    """`true`, for what is off when it is left out."""

    words: str = "`true`"

    def read(self, node: Node, path: str, findings: Findings) -> bool:
        if isinstance(node, ScalarNode) and node.value is True:
            return True
        word = node.text.strip().lower() if isinstance(node, ScalarNode) else ""
        hint = ": leave the key out" if word in ("false", "no", "off", "") else ""
        raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}{hint}")

    def schema(self) -> Schema:
        return {"const": True}


@dataclass(frozen=True)
class AnyJson(Form[Json]):
    """Whatever JSON can hold."""

    words: str = "any value"

    def read(self, node: Node, path: str, findings: Findings) -> Json:
        before = len(findings.found)
        self._check(node, path, findings)
        if len(findings.found) > before:
            raise Unread
        return plain_data(node)

    def _check(self, node: Node, path: str, findings: Findings) -> None:
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.items):
                self._check(item, f"{path}[{index}]", findings)
        elif isinstance(node, MappingNode):
            for entry in node.entries:
                self._check(entry.value, f"{path}.{cut(entry.key)}", findings)
        elif isinstance(node.value, float) and not math.isfinite(node.value):
            findings.note(node, path, f"JSON has no `{node.text}`: put it in quotes", beyond_schema=True)
        elif is_long(node):
            message = f"`{cut(node.text)}` is longer than 64 bits: put it in quotes"
            findings.note(node, path, message, beyond_schema=True)

    def schema(self) -> Schema:
        return {}
