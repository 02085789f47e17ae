"""From a method and a path to an operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from emulator.contract.operations import Operation


class Routes:
    """The operations by path. Of several templates that fit, the one with the earlier literal part wins."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
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

    def _nodes(self, parts: list[str]) -> Sequence[_Node]:
        """The nodes that fit `parts`, those with literal parts first."""
        fitting: Sequence[_Node] = (self._root,)
        for part in parts:
            if len(fitting) == 1:  # as it nearly always is
                fitting = fitting[0].after(part)
            else:
                fitting = [following for node in fitting for following in node.after(part)]
        return fitting


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


def _split(path: str) -> list[str]:
    return path.split("/")[1:]
