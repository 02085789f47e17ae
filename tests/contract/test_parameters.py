"""Parameters: from texts to checked values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.operations import operations
from emulator.contract.parameters import Location, Parameter, is_unusable
from emulator.errors import FieldProblem
from emulator.times import format_instant

Schema = dict[str, Any]
PLACE = ("query", "x")
UNICODE = [FieldProblem(PLACE, "Input should be valid Unicode without NUL", "string_unicode")]
INTEGER = [FieldProblem(PLACE, "Input should be a valid integer, unable to parse string as an integer", "int_parsing")]
BOOLEAN = [FieldProblem(PLACE, "Input should be a valid boolean: true or false", "bool_parsing")]
DATETIME = [
    FieldProblem(
        PLACE,
        "Input should be a valid datetime in RFC 3339, such as 2026-01-01T12:00:00Z",
        "datetime_parsing",
    )
]


def parameter(schema: Schema, *, required: bool = False, where: str = "query") -> Parameter:
    node = {"name": "x", "in": where, "required": required, "schema": schema}
    path = "/a/{x}" if where == Location.PATH else "/a"
    document = {"paths": {path: {"get": {"operationId": "a", "parameters": [node]}}}}
    (read,) = operations(document)["a"].parameters
    return read


def read(schema: Schema, *texts: str) -> tuple[Any, list[FieldProblem]]:
    return parameter(schema).read(list(texts))


# Absent.


def test_an_absent_parameter_has_its_default_or_none() -> None:
    assert read({"type": "integer", "default": 50}) == (50, [])
    assert read({"type": "string"}) == (None, [])
    assert read({"type": "array", "items": {"type": "string"}}) == (None, [])


@pytest.mark.parametrize("where", ["query", "header"])
def test_a_required_parameter_must_be_there(where: str) -> None:
    one = parameter({"type": "string"}, required=True, where=where)
    assert one.read([]) == (None, [FieldProblem((where, "x"), "Field required", "missing")])
    assert one.read([""]) == ("", [])


def test_the_default_of_an_instant_is_an_instant() -> None:
    schema = {"type": "string", "format": "date-time", "default": "2026-01-01T00:00:00Z"}
    assert read(schema) == (1_767_225_600_000, [])


# Each type.


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("7", 7), ("-7", -7), ("+7", 7), ("007", 7), ("9" * 20, int("9" * 20))]
)
def test_an_integer_is_read_from_its_digits(text: str, value: int) -> None:
    assert read({"type": "integer"}, text) == (value, [])


@pytest.mark.parametrize("text", ["", " 7", "7 ", "7\n", "7.0", "1e3", "0x7", "seven", "٧", "1_000", "--7", "9" * 21])
def test_anything_else_is_no_integer(text: str) -> None:
    assert read({"type": "integer"}, text) == (None, INTEGER)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("0", [FieldProblem(PLACE, "Input should be greater than or equal to 1", "greater_than_equal")]),
        ("1", []),
        ("100", []),
        ("101", [FieldProblem(PLACE, "Input should be less than or equal to 100", "less_than_equal")]),
    ],
)
def test_an_integer_keeps_to_its_bounds(text: str, problems: list[FieldProblem]) -> None:
    assert read({"type": "integer", "minimum": 1, "maximum": 100}, text) == (int(text), problems)


def test_a_boolean_is_true_or_false_in_small_letters() -> None:
    assert read({"type": "boolean"}, "true") == (True, [])
    assert read({"type": "boolean"}, "false") == (False, [])
    for text in ("", "True", "1", "yes", "null", "true "):
        assert read({"type": "boolean"}, text) == (None, BOOLEAN)


def test_a_string_is_taken_as_it_is_and_held_against_its_schema() -> None:
    assert read({"type": "string"}, " as is ") == (" as is ", [])
    schema = {"type": "string", "pattern": "^[0-9]+s$"}
    assert read(schema, "15s") == ("15s", [])
    problem = FieldProblem(PLACE, "String should match pattern '^[0-9]+s$'", "string_pattern_mismatch")
    assert read(schema, "15") == ("15", [problem])


def test_an_array_takes_all_that_is_given_and_names_the_one_that_is_wrong() -> None:
    schema = {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}
    assert read(schema, "b") == (["b"], [])
    assert read(schema, "b", "a", "b") == (["b", "a", "b"], [])
    value, problems = read(schema, "a", "c")
    assert value == ["a", "c"]
    assert [(problem.loc, problem.type) for problem in problems] == [(("query", "x", 1), "enum")]


def test_of_a_single_value_that_is_given_several_times_the_last_counts() -> None:
    assert read({"type": "integer"}, "1", "2", "3") == (3, [])
    assert read({"type": "integer"}, "one", "2") == (2, [])
    assert read({"type": "integer"}, "1", "two") == (None, INTEGER)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T02:00:00+02:00",
        "2026-01-01T02:00:00 02:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01 02:00:00 02:00",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.0004Z",
    ],
)
def test_an_instant_is_in_milliseconds_and_a_plus_may_have_become_a_space(text: str) -> None:
    assert read({"type": "string", "format": "date-time"}, text) == (1_767_225_600_000, [])


@pytest.mark.parametrize(
    "text", ["", "now", "2026-01-01", "2026-01-01T00:00:00 Z", "1767225600", "2026-02-30T00:00:00Z"]
)
def test_anything_else_is_no_instant(text: str) -> None:
    assert read({"type": "string", "format": "date-time"}, text) == (None, DATETIME)


@given(st.integers(0, 4_102_444_800_000))
def test_an_instant_that_the_emulator_wrote_is_read_as_the_same(ms: int) -> None:
    assert read({"type": "string", "format": "date-time"}, format_instant(ms)) == (ms, [])


# Texts that are none.


@pytest.mark.parametrize("schema_type", ["string", "integer", "boolean", "array"])
@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "ok\udcff"])
def test_no_type_takes_nul_or_half_a_character(schema_type: str, text: str) -> None:
    assert read({"type": schema_type}, text) == (None, UNICODE)
    assert read({"type": schema_type}, "fine", text, "fine") == (None, UNICODE)


@pytest.mark.parametrize(
    ("text", "unusable"),
    [
        ("", False),
        ("\x01", False),
        ("\ud7ff", False),
        ("\ud800", True),
        ("\ue000", False),
        ("\x00", True),
    ],
)
def test_unusable_is_what_cannot_be_written_as_utf_8_and_nul(text: str, unusable: bool) -> None:
    assert is_unusable(text) is unusable


@pytest.mark.parametrize("where", Location)
def test_a_problem_says_where_the_parameter_was(where: Location) -> None:
    (problem,) = parameter({"type": "integer"}, where=where).read(["x"])[1]
    assert problem.loc == (where.value, "x")
