"""Parameters of an operation: from the texts of a request to checked values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from emulator.contract.validation import SchemaValidator
from emulator.errors import FieldProblem
from emulator.times import parse_instant_ms

_INTEGER = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_BOOLEANS = {"true": True, "false": False}


class Location(StrEnum):
    PATH = "path"
    QUERY = "query"
    HEADER = "header"


class Parameter(Struct, frozen=True):
    """One declared parameter. `type` is its schema's: string, integer, boolean, array (of strings), or instant
    for a string of format date-time, whose value is in milliseconds.
    """

    name: str
    location: Location
    required: bool
    type: str
    default: Any
    validator: SchemaValidator

    def read(self, texts: Sequence[str]) -> tuple[Any, list[FieldProblem]]:
        """The value of the parameter given as `texts` (none, if it is absent), and what is wrong with it.

        Of a parameter that is given several times and takes one value, the last counts.
        """
        place = (self.location.value, self.name)
        if not texts:
            if self.required:
                return None, [FieldProblem(place, "Field required", "missing")]
            if self.default is None or self.type != "instant":
                return self.default, []
            texts = (self.default,)
        if any(map(is_unusable, texts)):
            return None, [FieldProblem(place, "Input should be valid Unicode without NUL", "string_unicode")]
        value: Any = list(texts) if self.type == "array" else texts[-1]
        match self.type:
            case "instant":
                at_ms = parse_instant_ms(_restore_plus(value))
                msg = "Input should be a valid datetime in RFC 3339, such as 2026-01-01T12:00:00Z"
                return at_ms, [] if at_ms is not None else [FieldProblem(place, msg, "datetime_parsing")]
            case "integer":
                if not _INTEGER.fullmatch(value):
                    msg = "Input should be a valid integer, unable to parse string as an integer"
                    return None, [FieldProblem(place, msg, "int_parsing")]
                value = int(value)
            case "boolean":
                if value not in _BOOLEANS:
                    msg = "Input should be a valid boolean: true or false"
                    return None, [FieldProblem(place, msg, "bool_parsing")]
                value = _BOOLEANS[value]
        return value, list(self.validator.problems(value, place))


def _restore_plus(text: str) -> str:
    """`...T00:00:00 02:00` as it was meant: a plus sign that a client forgot to encode arrives as a space."""
    return text[:19] + text[19:].replace(" ", "+")


def is_unusable(text: str) -> bool:
    """Whether `text` holds what no text may: NUL, or half of a surrogate pair (bytes that were no UTF-8)."""
    return _UNUSABLE.search(text) is not None
