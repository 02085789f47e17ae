"""From a method and a path to an operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
        parts = [unquote(part, errors="surrogateescape") for part in _split(raw_path)]
        wanted = "GET" if method == "HEAD" else method
        allowed: set[str] = set()
        for node in self._root.walk(parts):
            operation = node.operations.get(wanted)
            if operation is not None:
                names = operation.path_names
                return operation, {name: parts[index] for index, name in names}, set()
            allowed.update(node.operations)
        if "GET" in allowed:
            allowed.add("HEAD")
        return None, {}, allowed


class _Node:
    """The operations of one template, and what may come after it."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {}
        self.parts: dict[str, _Node] = {}
        self.any: _Node | None = None

    def walk(self, parts: list[str], depth: int = 0) -> Iterator[_Node]:
        """The nodes that fit `parts`, those with literal parts first."""
        if depth == len(parts):
            yield self
            return
        if literal := self.parts.get(parts[depth]):
            yield from literal.walk(parts, depth + 1)
        if self.any is not None and parts[depth]:
            yield from self.any.walk(parts, depth + 1)


def _split(path: str) -> list[str]:
    return path.split("/")[1:]
