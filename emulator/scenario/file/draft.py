"""One scenario file as it was read: the keys that it gives and where, before it is composed with what it extends."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from emulator.errors import Problem


@dataclass(frozen=True, slots=True)
class Given:
    """A key's value, and where the key stands."""

    value: object
    path: str
    line: int
    column: int

    def problem(self, message: str) -> Problem:
        return Problem(message, self.path, self.line, self.column)


Keys: TypeAlias = Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class Override:
    """One entry of `variants` or `sequence`: the keys that it gives in place of the scenario's."""

    keys: Keys
    name: str | None = None
    weight: int = 1
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """What one file gives. `name` is that of the file without its ending, `source` where it came from.

    One with `problems` serves only to find more of them: some of its `keys` hold what could be salvaged, and of
    those in `unread` nothing is known but that they are given. The same holds for its entries.
    """

    name: str
    source: str
    text: str
    keys: Keys
    unread: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    def __eq__(self, other: object) -> bool:
        # The keys follow from the text, and may be large.
        return isinstance(other, Draft) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, str, str]:
        return self.name, self.source, self.text

    @property
    def extends(self) -> str | None:
        """The name of the scenario that it takes over."""
        given = self.keys.get("extends")
        return None if given is None else str(given.value)


def digest_of(chain: tuple[Draft, ...]) -> str:
    """The same for the same names and texts, in every process."""
    parts = [part for draft in chain for part in (draft.name, draft.text)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
