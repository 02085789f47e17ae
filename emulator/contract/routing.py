"""From a method and a path to an operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from urllib.parse import unquote

from emulator.contract.operations import Operation

_NEAR = 0.4
"""So much of two paths has to be alike for one to be a slip of the other."""

_MAX_PARTS = 10


class Routes:
    """The operations by path. Of several templates that fit, the one with the earlier literal part wins."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        self._templates: dict[str, None] = {}
        for operation in operations:
            self._templates[operation.path] = None
            node = self._root
            for part in _split(operation.path):
                if part.startswith("{"):
                    node.any = node.any or _Node()
                    node = node.any
                else:
                    node = node.parts.setdefault(part, _Node())
            node.operations[operation.method] = operation

    def find(self, method: str, raw_path: str) -> tuple[Operation | None, dict[str, str], set[str]]:
        """The operation of a request with the values in its path, or the methods that the path knows instead.

        `raw_path` is percent-encoded, so that an encoded slash stays inside its part. No operation and no
        methods: there is no such path. HEAD is answered by the operation of GET.
        """
        parts = _split(raw_path)
        if "%" in raw_path:
            parts = [unquote(part, errors="surrogateescape") for part in parts]
        wanted = "GET" if method == "HEAD" else method
        nodes = self._nodes(parts)
        for node in nodes:
            operation = node.operations.get(wanted)
            if operation is not None:
                return operation, {name: parts[index] for index, name in operation.path_names}, set()
        allowed = {known for node in nodes for known in node.operations}
        if "GET" in allowed:
            allowed.add("HEAD")
        return None, {}, allowed

    def nearest(self, raw_path: str) -> str | None:
        """The template that a path without operations was most likely meant for."""
        asked = [part for part in _split(raw_path) if part][:_MAX_PARTS]
        likeness = {template: _likeness(asked, _split(template)) for template in self._templates}
        near = max(likeness, key=likeness.__getitem__, default=None)
        return near if near is not None and likeness[near] >= _NEAR else None

    def _nodes(self, parts: list[str]) -> Sequence[_Node]:
        """The nodes that fit `parts`, those with literal parts first."""
        only = self._root
        for index, part in enumerate(parts):
            literal, variable = only.parts.get(part), only.any if part else None
            if literal is None:
                if variable is None:
                    return ()
                only = variable
            elif variable is None:
                only = literal
            else:
                fitting = [literal, variable]
                for following in parts[index + 1 :]:
                    fitting = [node for each in fitting for node in each.after(following)]
                return fitting
        return (only,)


class _Node:
    """The operations of one template, and what may come after it."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {}
        self.parts: dict[str, _Node] = {}
        self.any: _Node | None = None

    def after(self, part: str) -> tuple[_Node, ...]:
        """The nodes that `part` leads to: the literal one, and the one for any text but an empty one."""
        literal = self.parts.get(part)
        variable = self.any if part else None
        if literal is None:
            return () if variable is None else (variable,)
        return (literal,) if variable is None else (literal, variable)


def _likeness(asked: Sequence[str], template: Sequence[str]) -> float:
    """How much of both is alike, 0 to 1: in the same order, and whatever is missing from either.

    0 where the last part that was asked for, which says what somebody wants, is like nothing.
    """
    row = [0.0] * (len(template) + 1)  # of the best likeness of what was asked for so far and so many of the template
    above = row
    for index, part in enumerate(asked):
        before = asked[index - 1] if index else ""
        above, row = row, [0.0]
        for place, wanted in enumerate(template):
            if not wanted.startswith("{"):
                alike = _alike(part, wanted)
            else:  # any text is like a variable part, if it stands where that does
                alike = 0.5 if place and before and _alike(before, template[place - 1]) >= 0.5 else 0.0
            row.append(max(above[place + 1], row[place], above[place] + alike))
    return 2 * row[-1] / (len(asked) + len(template)) if row[-1] > above[-1] else 0.0


def _alike(asked: str, part: str) -> float:
    """How alike two parts of paths are, 0 to 1. By how they begin, since a request that went wrong may be in a loop."""
    common = takewhile(lambda pair: pair[0] == pair[1], zip(asked, part, strict=False))
    return len(list(common)) / max(len(asked), len(part), 1)


def _split(path: str) -> list[str]:
    return path.split("/")[1:]
