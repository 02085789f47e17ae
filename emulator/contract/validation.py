"""Holding values against schemas, and saying what is wrong as the service does.

The service is built on FastAPI: its 422 answers list `{loc, msg, type}` with the texts and types of pydantic.
Source: Lyceum docs, HTTPValidationError; the texts themselves are inferred from that.

What is wrong with a value is told without the value, which may be a secret: pydantic's `input` is left out, and the
validator is made to mask values in its own messages. `_wording` is the one place where such a text comes about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any, cast

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind

from emulator.contract.document import Document, dereference
from emulator.errors import FieldProblem

MAX_PROBLEMS = 20
"""An answer lists at most so many problems, so that a bad request cannot ask for an endless one."""

_MAX_NAME = 200

_MASKED = "The value"
"""What the validator's own messages have in place of a value."""

_TYPES = {
    "string": ("string", "string_type"),
    "integer": ("integer", "int_type"),
    "number": ("number", "float_type"),
    "boolean": ("boolean", "bool_type"),
    "array": ("list", "list_type"),
    "object": ("dictionary", "dict_type"),
}
_FORMATS = {
    "date-time": (
        "Input should be a valid datetime in RFC 3339, such as 2026-01-01T12:00:00Z",
        "datetime_parsing",
    ),
    "uri": ("Input should be a valid URL", "url_parsing"),
}
_DURATION_PATTERN_END = "[0-9]{0,5}ms)$"
"""How the contracts' patterns of durations end. They forbid zero and overflow, and so are too long to be read."""

_NO_DURATION = "Input should be a duration, such as 500ms, 5s, 1m30s or 2h"


class SchemaValidator:
    """One schema of a document, compiled when first used."""

    def __init__(self, document: Document, schema: dict[str, Any] | bool) -> None:
        stated = {"allOf": [schema]} if isinstance(schema, bool) else schema
        self._whole = stated | {"components": document.get("components", {})}  # where its references point

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(self._whole, validate_formats=True, mask=_MASKED)

    def problems(self, value: object, place: tuple[str | int, ...]) -> Iterator[FieldProblem]:
        """What is wrong with `value`, one problem for each place in it; nothing if it is valid."""
        if self._validator.is_valid(value):
            return
        told: set[tuple[str | int, ...]] = set()
        for error in self._validator.iter_errors(value):
            for problem in self._explain(error, value, place):
                if problem.loc not in told:
                    told.add(problem.loc)
                    yield problem
                if len(told) == MAX_PROBLEMS:
                    return

    def _explain(
        self, error: jsonschema_rs.ValidationError, value: object, place: tuple[str | int, ...]
    ) -> Iterator[FieldProblem]:
        loc = (*place, *_path(value, error.instance_path))
        match error.kind:
            case Kind.Required(property=name):
                yield FieldProblem((*loc, name), "Field required", "missing")
            case Kind.AdditionalProperties(unexpected=names):
                known = self._schema_of(error).get("properties", ())
                for name in names:
                    yield unknown_field(loc, name, known)
            case Kind.OneOfNotValid() if told := self._mixed_up(error, value, loc):
                yield from told
            case Kind.OneOfNotValid(context=branches) | Kind.AnyOf(context=branches):
                for slip in _likeliest(branches, error.instance_path):
                    yield from self._explain(slip, value, place)
            case Kind.Type() if _is_duration(self._schema_of(error)):
                yield FieldProblem(loc, _NO_DURATION, "string_type")
            case kind:
                msg, code = _wording(kind, error.message)
                yield FieldProblem(loc, msg, code)

    def _mixed_up(
        self, error: jsonschema_rs.ValidationError, value: object, loc: tuple[str | int, ...]
    ) -> list[FieldProblem]:
        """Of an object that may have one of several sets of fields: what it has that fits none of them.

        Nothing if one of them was clearly meant: then its own slips say more.
        """
        branches = [dereference(self._whole, branch) for branch in self._schema_of(error)["oneOf"]]
        for part in _path(value, error.instance_path):
            value = cast("Any", value)[part]
        if not isinstance(value, dict) or not all(map(_has_one_set, branches)):
            return []
        sets: list[list[str]] = [branch["required"] for branch in branches]
        known = list(dict.fromkeys(name for names in sets for name in names))
        has = [name for name in known if name in value]
        unknown = [name for name in value if name not in known]
        problems = [unknown_field(loc, name, known) for name in unknown]
        meant = [names for names in sets if set(has) <= set(names)]
        if len(meant) != 1 or (unknown and len(has) < len(meant[0])):
            either = ", or ".join(" with ".join(f"`{name}`" for name in names) for names in sets)
            found = ", ".join(f"`{name}`" for name in has) or "none of them"
            problems.append(FieldProblem(loc, f"Input should have either {either}; it has {found}", "value_error"))
        return problems

    def _schema_of(self, error: jsonschema_rs.ValidationError) -> dict[str, Any]:
        """The schema whose keyword the error is about."""
        schema: Any = self._whole
        for part in error.schema_path[:-1]:
            schema = schema[part]
        return cast("dict[str, Any]", schema)


def _has_one_set(schema: Any) -> bool:  # noqa: ANN401  a schema can be true or false
    """Whether an object has to have certain fields, and can have no others."""
    if not isinstance(schema, dict) or schema.get("additionalProperties", True):
        return False
    return set(schema.get("required", ())) == set(schema.get("properties", ()))


def _is_duration(schema: dict[str, Any]) -> bool:
    return str(schema.get("pattern", "")).endswith(_DURATION_PATTERN_END)


def unknown_field(place: tuple[str | int, ...], name: str, known: Iterable[str]) -> FieldProblem:
    """The problem of a field of `place` that is none of `known`."""
    msg = f"Extra inputs are not permitted{nearest_hint(name, frozenset(known))}"
    return FieldProblem((*place, name), msg, "extra_forbidden")


def nearest_hint(name: str, known: frozenset[str]) -> str:
    """`: did you mean ...?` with the one of `known` that `name` is like; empty if it is like none."""
    return _nearest_hint(name[:_MAX_NAME], known)


@lru_cache(maxsize=256)
def _nearest_hint(name: str, known: frozenset[str]) -> str:
    """Remembered, since a client that sends an unknown field does so again and again."""
    from difflib import get_close_matches  # late: only mistakes need it

    near = get_close_matches(name, sorted(known), n=1)
    return f": did you mean {near[0]}?" if near else ""


def _likeliest(
    branches: list[list[jsonschema_rs.ValidationError]], place: list[str | int]
) -> list[jsonschema_rs.ValidationError]:
    """The slips of the branch that was most likely meant for what is at `place`.

    That is one with slips only further inside, since it has the right shape, then one that is at least of the right
    type; then one with few slips, and with those that name a field.
    """

    def unlikeliness(slips: list[jsonschema_rs.ValidationError]) -> tuple[bool, bool, int, bool]:
        here = [slip for slip in slips if slip.instance_path == place]
        mistyped = any(isinstance(slip.kind, Kind.Type) for slip in here)
        return mistyped, bool(here), len(slips), any(isinstance(slip.kind, Kind.Required) for slip in slips)

    return min(branches, key=unlikeliness)


def _path(value: object, parts: list[str | int]) -> Iterator[str | int]:
    """The way into `value`. The validator gives digits as a number even where they are a name."""
    for part in parts:
        key: str | int = part
        if isinstance(value, dict):
            key = str(part)
            value = value.get(key)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        yield key


def _wording(kind: Kind, fallback: str) -> tuple[str, str]:
    match kind:
        case Kind.Type(types=types):
            word, code = _TYPES.get(next((name for name in types if name != "null"), ""), ("value", "type"))
            return f"Input should be a valid {word}", code
        case Kind.Minimum(limit=limit):
            return f"Input should be greater than or equal to {limit}", "greater_than_equal"
        case Kind.Maximum(limit=limit):
            return f"Input should be less than or equal to {limit}", "less_than_equal"
        case Kind.ExclusiveMinimum(limit=limit):
            return f"Input should be greater than {limit}", "greater_than"
        case Kind.Pattern(pattern=pattern) if pattern.endswith(_DURATION_PATTERN_END):
            return _NO_DURATION, "string_pattern_mismatch"
        case Kind.Pattern(pattern=pattern):
            return f"String should match pattern '{pattern}'", "string_pattern_mismatch"
        case Kind.MinLength(limit=limit):
            return f"String should have at least {limit} character{'s'[: limit != 1]}", "string_too_short"
        case Kind.MaxLength(limit=limit):
            return f"String should have at most {limit} character{'s'[: limit != 1]}", "string_too_long"
        case Kind.MinItems(limit=limit):
            return f"List should have at least {limit} item{'s'[: limit != 1]}", "too_short"
        case Kind.MaxItems(limit=limit):
            return f"List should have at most {limit} item{'s'[: limit != 1]}", "too_long"
        case Kind.Enum(options=options):
            *others, last = map(repr, options)
            return f"Input should be {', '.join(others)} or {last}" if others else f"Input should be {last}", "enum"
        case Kind.Format(format=name) if name in _FORMATS:
            return _FORMATS[name]
    return fallback[:300], "value_error"
