"""The parts of a file format's grammar: what may stand in one place, and what is wrong with what does.

A form reads a node into a value, or notes what is wrong in `Findings` and raises `Unread`. Forms made of
others go on past a part that failed, so that one reading finds every mistake of a file. The same form says
as JSON Schema what it reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from emulator.documents import Entry, MappingNode, Node, SequenceNode
from emulator.documents.syntax import cut
from emulator.errors import Problem

T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, Any]

MAX_FINDINGS = 100
"""More is not for reading: a text of twenty thousand unknown keys would be answered with megabytes, after seconds."""

_SHORTEST_BEGINNING = 3
"""So many letters of a word, if of no other one, tell which is meant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, and whether it breaks a rule that no JSON Schema can say."""

    problem: Problem
    beyond_schema: bool = False


class Unread(Exception):
    """A part could not be read; what is wrong is in the findings.

    `salvaged` holds as much of it as could be read.
    """

    def __init__(self, salvaged: object = None) -> None:
        super().__init__()
        self.salvaged = salvaged


@dataclass(slots=True)
class Findings:
    """What reading has found wrong so far; once that is `MAX_FINDINGS`, reading stops."""

    found: list[Finding] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.found) >= MAX_FINDINGS

    def note(self, place: Node | Entry, path: str, message: str, *, beyond_schema: bool = False) -> None:
        if self.full:
            return
        if len(self.found) == MAX_FINDINGS - 1:
            message = f"there are {MAX_FINDINGS} problems or more; what follows was not read"
        self.found.append(Finding(Problem(message, path, place.line, place.column), beyond_schema))

    def refused(self, place: Node | Entry, path: str, message: str, *, beyond_schema: bool = False) -> Unread:
        """Note a problem; what comes back is to be raised."""
        self.note(place, path, message, beyond_schema=beyond_schema)
        return Unread()

    def problems(self) -> tuple[Problem, ...]:
        return in_order(finding.problem for finding in self.found)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In the order of the text, each once (an alias may repeat one)."""
    return tuple(dict.fromkeys(sorted(problems, key=lambda problem: (problem.line, problem.column))))


class Form(ABC, Generic[T_co]):
    """What may stand in one place. `words` complete the sentence "expected ..."."""

    words: str

    @abstractmethod
    def read(self, node: Node, path: str, findings: Findings) -> T_co:
        """The value of `node`. Raises Unread once its problems are noted."""

    @abstractmethod
    def schema(self) -> Schema:
        """JSON Schema (2020-12) of what `read` accepts, as far as a schema can say it."""


def shown(node: Node) -> str:
    """What was found, for the end of a message."""
    if isinstance(node, SequenceNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "a mapping"
    if node.value is None:
        return "nothing" if not node.text else f"`{node.text}`"
    if isinstance(node.value, str):
        return f"the text `{cut(node.text.strip())}`" if node.text.strip() else "an empty text"
    return f"`{cut(node.text)}`"


def nearest(word: str, words: Sequence[str], synonyms: Mapping[str, str] | None = None) -> str | None:
    """The one of `words` that `word` was most likely meant to be."""
    folded = word[:80].strip().lower().replace("-", "_").replace(" ", "_")
    meant = {synonym: meaning for synonym, meaning in (synonyms or {}).items() if meaning in words}
    if folded in meant:
        return meant[folded]
    by_folded = {each.lower().replace("-", "_"): each for each in words}
    by_folded = {**meant, **by_folded}
    close = get_close_matches(folded, list(by_folded), n=1, cutoff=0.6)
    if close:
        return by_folded[close[0]]
    begun = {meaning for each, meaning in by_folded.items() if each.startswith(folded)}
    return begun.pop() if len(begun) == 1 and len(folded) >= _SHORTEST_BEGINNING else None


def listed(words: Sequence[str], joint: str = "or") -> str:
    """`a`, `b` or `c`."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {joint} {quoted[-1]}"
