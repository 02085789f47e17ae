"""What a malformed value is told, in the words and types of the service's framework."""

import pickle
from typing import Any

import pytest

from emulator.contract.document import load_document
from emulator.contract.validation import MAX_PROBLEMS, SchemaValidator
from emulator.errors import FieldProblem
from emulator.resources import CONTROL_CONTRACT_FILE

Told = list[tuple[tuple[str | int, ...], str, str]]


def told(schema: Any, value: object, document: dict[str, Any] | None = None) -> Told:
    validator = SchemaValidator(document or {}, schema)
    found = list(validator.problems(value, ("body",)))
    return [(problem.loc, problem.msg, problem.type) for problem in found]


@pytest.mark.parametrize(
    ("schema", "value", "msg", "code"),
    [
        ({"type": "string"}, 1, "Input should be a valid string", "string_type"),
        ({"type": "integer"}, "1", "Input should be a valid integer", "int_type"),
        ({"type": "integer"}, True, "Input should be a valid integer", "int_type"),
        ({"type": "integer"}, 1.5, "Input should be a valid integer", "int_type"),
        ({"type": "number"}, "1", "Input should be a valid number", "float_type"),
        ({"type": "boolean"}, 1, "Input should be a valid boolean", "bool_type"),
        ({"type": "array"}, {}, "Input should be a valid list", "list_type"),
        ({"type": "object"}, [], "Input should be a valid dictionary", "dict_type"),
        ({"type": "string"}, None, "Input should be a valid string", "string_type"),
        ({"type": ["string", "null"]}, 1, "Input should be a valid string", "string_type"),
        ({"type": ["null", "integer"]}, "1", "Input should be a valid integer", "int_type"),
        ({"minimum": 1}, 0, "Input should be greater than or equal to 1", "greater_than_equal"),
        ({"maximum": 600}, 601, "Input should be less than or equal to 600", "less_than_equal"),
        ({"exclusiveMinimum": 0}, 0, "Input should be greater than 0", "greater_than"),
        ({"pattern": "^lk_"}, "sk_", "String should match pattern '^lk_'", "string_pattern_mismatch"),
        ({"minLength": 2}, "a", "String should have at least 2 characters", "string_too_short"),
        ({"maxLength": 2}, "abc", "String should have at most 2 characters", "string_too_long"),
        ({"enum": ["a", 1]}, "b", "Input should be 'a' or 1", "enum"),
        (
            {"type": "string", "format": "date-time"},
            "today",
            "Input should be a valid datetime in RFC 3339, such as 2026-01-01T12:00:00Z",
            "datetime_parsing",
        ),
        ({"type": "string", "format": "uri"}, "no uri", "Input should be a valid URL", "url_parsing"),
    ],
)
def test_a_problem_is_worded_as_the_framework_does(schema: Any, value: object, msg: str, code: str) -> None:
    assert told(schema, value) == [(("body",), msg, code)]


@pytest.mark.parametrize("value", [5, 0.5, [], {}, True])
def test_what_is_no_text_is_told_the_form_of_a_duration(value: object) -> None:
    control = load_document(CONTROL_CONTRACT_FILE)
    msg = "Input should be a duration, such as 500ms, 5s, 1m30s or 2h"
    schemas = control["components"]["schemas"]
    assert told(schemas["Duration"], value, control) == [(("body",), msg, "string_type")]
    assert told(schemas["Advance"], {"by": value}, control) == [(("body", "by"), msg, "string_type")]
    assert told(schemas["Advance"], {"by": "5"}, control) == [(("body", "by"), msg, "string_pattern_mismatch")]


@pytest.mark.parametrize(
    ("schema", "value", "msg"),
    [
        ({"minLength": 1}, "", "String should have at least 1 character"),
        ({"maxLength": 1}, "ab", "String should have at most 1 character"),
    ],
)
def test_one_character_is_not_plural(schema: Any, value: str, msg: str) -> None:
    assert told(schema, value)[0][1] == msg


@pytest.mark.parametrize(
    ("schema", "accepted", "refused"),
    [
        ({"minimum": 1}, 1, 0),
        ({"maximum": 600}, 600, 601),
        ({"exclusiveMinimum": 0}, 0.001, 0),
        ({"minLength": 2}, "ab", "a"),
        ({"maxLength": 2}, "ab", "abc"),
        ({"type": ["string", "null"]}, None, 0),
        ({"maxLength": 1}, "\U0001f600", "\U0001f600" * 2),
    ],
)
def test_a_bound_lets_its_own_value_through(schema: Any, accepted: object, refused: object) -> None:
    assert told(schema, accepted) == []
    assert len(told(schema, refused)) == 1


def test_whatever_has_no_wording_of_its_own_is_a_value_error_of_bounded_length() -> None:
    ((loc, msg, code),) = told({"not": {}}, "x" * 10_000)
    assert (loc, code) == (("body",), "value_error")
    assert 0 < len(msg) <= 300


# Where.


def test_a_problem_names_the_very_field() -> None:
    schema = {"properties": {"a": {"items": {"properties": {"b": {"type": "string"}}}}}}
    assert told(schema, {"a": [{}, {"b": 1}]}) == [
        (("body", "a", 1, "b"), "Input should be a valid string", "string_type")
    ]


def test_every_missing_field_is_named_where_it_should_be() -> None:
    schema = {"required": ["code", "timeout"], "properties": {"inner": {"required": ["x"]}}}
    assert sorted(told(schema, {"inner": {}})) == [
        (("body", "code"), "Field required", "missing"),
        (("body", "inner", "x"), "Field required", "missing"),
        (("body", "timeout"), "Field required", "missing"),
    ]


def test_every_field_too_many_is_named() -> None:
    schema = {"properties": {"a": True}, "additionalProperties": False}
    assert sorted(told(schema, {"a": 1, "b": 2, "c": 3})) == [
        (("body", "b"), "Extra inputs are not permitted", "extra_forbidden"),
        (("body", "c"), "Extra inputs are not permitted", "extra_forbidden"),
    ]


def test_each_place_is_told_once_however_much_is_wrong_there() -> None:
    schema = {"properties": {"a": {"type": "string", "minimum": 5, "enum": ["b"]}, "c": {"type": "string"}}}
    found = told(schema, {"a": 1, "c": 2})
    assert sorted(loc for loc, _, _ in found) == [("body", "a"), ("body", "c")]


def test_field_names_may_be_anything() -> None:
    schema = {"additionalProperties": {"type": "string"}}
    for name in ("a/b", "a~1b", "~0", "-1", "é", "a.b"):
        assert told(schema, {name: 1}) == [(("body", name), "Input should be a valid string", "string_type")]


@pytest.mark.parametrize("name", ["0", "18446744073709551615"])
def test_a_field_whose_name_is_a_number_is_named_like_any_other(name: str) -> None:
    schema = {"additionalProperties": {"type": "string"}}
    assert told(schema, {name: 1})[0][0] == ("body", name)


@pytest.mark.parametrize("count", [MAX_PROBLEMS - 1, MAX_PROBLEMS, MAX_PROBLEMS + 1, 1_000])
def test_no_answer_lists_more_than_twenty_problems(count: int) -> None:
    assert MAX_PROBLEMS == 20
    expected = min(count, 20)
    assert len(told({"items": {"type": "string"}}, [1] * count)) == expected
    extra = {str(n): 1 for n in range(count)}
    assert len(told({"properties": {"a": {}}, "additionalProperties": False}, extra)) == expected
    assert len(told({"required": list(extra)}, {})) == expected


# One of several sets of fields.

EITHER = "Input should have either `a`, or `b` with `c`"
SETS = {
    "oneOf": [
        {"properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False},
        {"properties": {"b": {}, "c": {}}, "required": ["b", "c"], "additionalProperties": False},
    ]
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, [((), f"{EITHER}; it has none of them", "value_error")]),
        ({"c": 1, "a": 1}, [((), f"{EITHER}; it has `a`, `c`", "value_error")]),
        ({"a": "x", "b": 1, "c": 1}, [((), f"{EITHER}; it has `a`, `b`, `c`", "value_error")]),
        ({"a": 1}, [(("a",), "Input should be a valid string", "string_type")]),
        ({"b": 1}, [(("c",), "Field required", "missing")]),
        ({"a": "x", "z": 1}, [(("z",), "Extra inputs are not permitted", "extra_forbidden")]),
        (
            {"b": 1, "z": 1},
            [
                (("z",), "Extra inputs are not permitted", "extra_forbidden"),
                ((), f"{EITHER}; it has `b`", "value_error"),
            ],
        ),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_fields_that_do_not_go_together_are_told_those_that_do(inside: bool, value: Any, expected: Told) -> None:
    schema, place = ({"items": SETS}, ("body", 0)) if inside else (SETS, ("body",))
    found = told(schema, [value] if inside else value)
    assert found == [((*place, *loc), msg, code) for loc, msg, code in expected]


# References.


def test_a_schema_may_refer_to_the_components_of_its_document() -> None:
    document = {
        "components": {
            "schemas": {"Name": {"type": "string"}, "List": {"items": {"$ref": "#/components/schemas/Name"}}}
        }
    }
    schema = {"$ref": "#/components/schemas/List"}
    assert told(schema, ["a"], document) == []
    assert told(schema, ["a", 1], document) == [(("body", 1), "Input should be a valid string", "string_type")]


def test_problems_are_values() -> None:
    problem = next(iter(SchemaValidator({}, {"type": "string"}).problems(1, ("query", "x"))))
    assert problem == FieldProblem(("query", "x"), "Input should be a valid string", "string_type")
    assert pickle.loads(pickle.dumps(problem)) == problem


@pytest.mark.parametrize(
    "schema",
    [
        {"uniqueItems": True},
        {"minItems": 3},
        {"maxItems": 1},
        {"const": 5},
        {"enum": [5, 6]},
        {"type": "object"},
        {"not": {"type": "array"}},
        {"contains": {"const": 5}},
        {"items": False},
        {"items": {"pattern": "^x"}},
        {"items": {"maxLength": 1}},
        {"items": {"format": "email"}},
        {"oneOf": [{"type": "array"}, {"maxItems": 5}]},
        {"anyOf": [{"const": 5}, {"not": {"type": "array"}}]},
    ],
)
def test_what_is_wrong_with_a_value_is_told_without_the_value(schema: dict[str, object]) -> None:
    """It may be a secret, whichever rule it breaks."""
    problems = list(SchemaValidator({}, schema).problems(["hunter2", "hunter2"], ("body",)))
    assert problems
    assert all(problem.msg and "hunter2" not in problem.msg for problem in problems)


@pytest.mark.parametrize(
    ("value", "place", "kind"),
    [
        ({"by": 5}, ("body", "by"), "string_type"),
        ({"all": ["a", 5]}, ("body", "all", 1), "string_type"),
        ({"all": [5, 6, "a"]}, ("body", "all", 0), "string_type"),
        ([5], ("body", 0), "string_type"),
        ({}, ("body", "by"), "missing"),
        (5, ("body",), "dict_type"),
    ],
)
def test_of_alternatives_the_one_of_the_right_shape_was_meant(
    value: object, place: tuple[str | int, ...], kind: str
) -> None:
    texts = {"type": "array", "items": {"type": "string"}}
    schema: dict[str, object] = {
        "anyOf": [
            {"type": "object", "required": ["by"], "properties": {"by": {"type": "string"}}},
            {"type": "object", "required": ["all"], "properties": {"all": texts}},
            texts,
        ]
    }
    problem = next(SchemaValidator({}, schema).problems(value, ("body",)))
    assert (problem.loc, problem.type) == (place, kind)
