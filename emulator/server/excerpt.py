"""What the journal keeps of a body: without its secrets, and short."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import islice
from typing import Any

import orjson

from emulator.contract.operations import Body
from emulator.errors import FieldProblem

MAX_BODY_BYTES = 4_096
"""A body up to this size is kept as it came, if it holds nothing secret."""

_MAX_TEXT = 200
_MAX_ITEMS = 50
_MAX_DEPTH = 8
MASK = "***"

_CALLBACKS = frozenset({"user_callback_urls"})
"""Secret, and nothing that somebody puts into another field by mistake, as happens to passwords."""


def excerpt(data: bytes, value: object, declared: Body, problems: Sequence[FieldProblem] = ()) -> bytes:
    """`data`, a JSON text that reads as `value`, for the journal: secrets masked, what is long shortened.

    Empty where the body could not be read: what is in it cannot be told from a secret. For the same reason, fields
    that the contract does not know are masked beside those that are secret; and where the operation takes
    credentials, so are the fields that have `problems`.
    """
    if value is None:
        return b""
    unknown = value.keys() - declared.fields if isinstance(value, dict) else set()
    holds_secrets = declared.deep_secrets or (isinstance(value, dict) and not declared.secrets.isdisjoint(value))
    if len(data) <= MAX_BODY_BYTES and not unknown and not holds_secrets and not problems:
        return data  # as nearly every body is
    secrets = declared.secrets | unknown
    if declared.secrets - _CALLBACKS:
        wrong = {problem.loc[1:2] for problem in problems}
        if wrong and (() in wrong or not isinstance(value, dict)):
            return b""  # nothing is where it belongs
        secrets |= {str(name) for place in wrong for name in place}
    # A copy, since what orjson gives holds kilobytes more than it shows.
    kept = bytes(memoryview(orjson.dumps(_shortened(_known_only(value, declared), secrets, 0))))
    return kept if len(kept) <= 4 * MAX_BODY_BYTES else orjson.dumps(f"... {len(data)} bytes")


def _known_only(value: Any, declared: Body) -> Any:  # noqa: ANN401  any JSON
    """`value` in which, of the objects in lists, fields are masked that the contract does not know."""
    match value:
        case dict():
            return {
                name: _known_only(part, declared) if isinstance(part, list) else part for name, part in value.items()
            }
        case list() if declared.secrets:
            return [
                {name: part if name in declared.fields else MASK for name, part in item.items()}
                if isinstance(item, dict)
                else item
                for item in value
            ]
    return value


def _shortened(value: Any, secrets: Set[str], depth: int) -> Any:  # noqa: ANN401  any JSON
    match value:
        case str() if len(value) > _MAX_TEXT:
            return f"{value[:_MAX_TEXT]}... {len(value)} characters"
        case dict() | list() if depth == _MAX_DEPTH:
            return "..."
        case dict():
            shown = {
                name[:_MAX_TEXT]: MASK if name in secrets and part is not None else _shortened(part, secrets, depth + 1)
                for name, part in islice(value.items(), _MAX_ITEMS)
            }
            return shown if len(value) <= _MAX_ITEMS else shown | {"...": f"{len(value)} properties"}
        case list():
            parts = [_shortened(part, secrets, depth + 1) for part in value[:_MAX_ITEMS]]
            return parts if len(value) <= _MAX_ITEMS else [*parts, f"... {len(value)} items"]
    return value
