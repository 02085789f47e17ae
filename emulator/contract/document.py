"""Reading an OpenAPI document from its file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, cast

from emulator.contract.compiled import read_compiled, write_compiled
from emulator.errors import ContractError

Document: TypeAlias = dict[str, Any]


@lru_cache(maxsize=4)  # a contract does not change while a process lives, and one can have many emulators
def load_document(path: Path) -> Document:
    """The document in `path`. Raises ContractError, with line and column, if it is not readable YAML."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ContractError(f"the contract {path} cannot be read: {error.strerror}") from error
    document = read_compiled(path, text)
    if document is None:
        document = _parsed(path, text)
        write_compiled(path, text, document)
    return cast("Document", document)


def _parsed(path: Path, text: bytes) -> Document:
    """What the YAML `text` of the file `path` says. Raises ContractError, as above."""
    import yaml  # late: most starts find the contract compiled

    # libyaml reads the contract ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(text, loader)  # noqa: S506  both loaders are the safe ones
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ContractError(f"{path}{place}: the contract is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ContractError(f"{path}: the contract is not valid YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise ContractError(f"{path}: the contract has no paths")
    return cast("Document", document)


def dereference(document: Document, node: Any) -> Any:  # noqa: ANN401  a document's node can be anything
    """`node` itself, or what its `$ref` points to inside the document. Raises ContractError."""
    seen: set[str] = set()
    while isinstance(node, dict) and "$ref" in node:
        reference = node["$ref"]
        if reference in seen:
            raise ContractError(f"the contract's reference {reference} points to itself")
        seen.add(reference)
        node = document
        for part in reference.removeprefix("#/").split("/"):
            try:
                node = node[part.replace("~1", "/").replace("~0", "~")]
            except (KeyError, TypeError):
                raise ContractError(f"the contract's reference {reference} points nowhere") from None
    return node
