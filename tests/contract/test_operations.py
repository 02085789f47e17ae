"""Operations as a document declares them, and complaints about documents that the emulator cannot serve."""

from pathlib import Path
from typing import Any

import pytest

from emulator.contract.document import dereference, load_document
from emulator.contract.operations import METHODS, Operation, operations
from emulator.contract.parameters import Location
from emulator.errors import ContractError, StartError

Node = dict[str, Any]


def document_of(operation: Node | None = None, **keys: Any) -> Node:
    """A document with the one operation `POST /a`."""
    return {"paths": {"/a": {"post": {"operationId": "a", **(operation or {})}}}, **keys}


def only(document: Node) -> Operation:
    (operation,) = operations(document).values()
    return operation


def complaint(document: Node, part: str | None = None) -> str:
    """What reading `part` of the only operation complains of; reading the list of them, if None."""
    with pytest.raises(ContractError) as refused:
        getattr(only(document), part or "path")
    return str(refused.value)


# The list.


def test_every_method_of_every_path_is_an_operation_and_nothing_else_is() -> None:
    item: Node = {method: {"operationId": f"{method}_a"} for method in METHODS}
    item |= {"summary": "no method", "parameters": [], "x-note": {"operationId": "nor this"}}
    found = operations({"paths": {"/a": item, "/b/{c}": {"get": {"operationId": "b"}}}})
    assert {each.operation_id: (each.method, each.path) for each in found.values()} == {
        f"{method}_a": (method.upper(), "/a") for method in METHODS
    } | {"b": ("GET", "/b/{c}")}
    assert list(found) == [each.operation_id for each in found.values()]


def test_an_operation_without_an_id_is_complained_of() -> None:
    message = complaint({"paths": {"/a": {"get": {}}}})
    assert message == "the contract gives GET /a no operationId"


def test_an_id_that_is_used_twice_is_complained_of() -> None:
    one = {"operationId": "same"}
    assert complaint({"paths": {"/a": {"get": one}, "/b": {"get": one}}}) == (
        "the contract uses the operationId same twice"
    )
    assert complaint({"paths": {"/a": {"get": one, "post": one}}}) == ("the contract uses the operationId same twice")


def test_a_complaint_keeps_the_server_from_starting() -> None:
    assert issubclass(ContractError, StartError)


# Paths and parameters.


def test_the_variable_parts_of_a_path_are_known_by_their_positions() -> None:
    paths = {"/{a}/b/{c}": {"get": {"operationId": "x"}}, "/plain": {"get": {"operationId": "y"}}}
    found = operations({"paths": paths})
    assert found["x"].path_names == ((0, "a"), (2, "c"))
    assert found["y"].path_names == ()


def test_parameters_are_those_of_the_path_and_of_the_operation_wherever_they_are_written() -> None:
    document = {
        "components": {
            "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}},
            "schemas": {"Limit": {"type": "integer", "default": 7}},
        },
        "paths": {
            "/a/{id}": {
                "parameters": [{"$ref": "#/components/parameters/Id"}],
                "get": {
                    "operationId": "a",
                    "parameters": [
                        {"name": "limit", "in": "query", "schema": {"$ref": "#/components/schemas/Limit"}},
                        {
                            "name": "X-Since",
                            "in": "header",
                            "schema": {"type": "string", "format": "date-time"},
                        },
                    ],
                },
            }
        },
    }
    operation = only(document)
    assert [(each.name, each.location, each.type, each.required, each.default) for each in operation.parameters] == [
        ("id", Location.PATH, "string", True, None),
        ("limit", Location.QUERY, "integer", False, 7),
        ("X-Since", Location.HEADER, "instant", False, None),
    ]
    assert operation.query_names == {"limit"}


def test_a_parameter_of_the_operation_overrides_that_of_the_path() -> None:
    def limit(maximum: int) -> Node:
        return {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": maximum}}

    item = {"parameters": [limit(1)], "get": {"operationId": "a", "parameters": [limit(9)]}}
    (parameter,) = only({"paths": {"/a": item}}).parameters
    assert parameter.read(["9"]) == (9, [])


@pytest.mark.parametrize(
    ("where", "schema", "message"),
    [
        ("query", {"type": "object"}, "a: parameter x is a object in query, which the emulator cannot read"),
        ("query", {"type": "number"}, "a: parameter x is a number in query, which the emulator cannot read"),
        ("query", {}, "a: parameter x is a None in query, which the emulator cannot read"),
        (
            "cookie",
            {"type": "string"},
            "a: parameter x is a string in cookie, which the emulator cannot read",
        ),
        (
            "query",
            {"type": ["string", "null"]},
            "a: parameter x is a ['string', 'null'] in query, which the emulator cannot read",
        ),
    ],
)
def test_a_parameter_that_cannot_be_read_is_complained_of(where: str, schema: Node, message: str) -> None:
    document = document_of({"parameters": [{"name": "x", "in": where, "schema": schema}]})
    assert complaint(document, "parameters") == message


# Bodies.


def body_of(schema: Any, required: bool | None = None, **keys: Any) -> Node:
    body = {"content": {"application/json": {"schema": schema}}}
    return document_of({"requestBody": body if required is None else body | {"required": required}}, **keys)


def test_an_operation_without_a_body_has_none() -> None:
    assert only(document_of()).body is None


@pytest.mark.parametrize(("required", "expected"), [(None, False), (False, False), (True, True)])
def test_a_body_is_optional_unless_it_is_required(required: bool | None, expected: bool) -> None:
    body = only(body_of({"type": "object"}, required)).body
    assert body is not None
    assert body.required is expected
    assert [problem.type for problem in body.validator.problems([], ("body",))] == ["dict_type"]


def test_the_fields_of_a_body_are_those_of_all_its_parts() -> None:
    schemas = {
        "Base": {"properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}]},
        "One": {"properties": {"c": {}, "d": {}}},
    }
    schema = {
        "properties": {"e": {"properties": {"inner": {}}}},
        "allOf": [{"$ref": "#/components/schemas/Base"}],
        "oneOf": [{"$ref": "#/components/schemas/One"}],
        "anyOf": [{"properties": {"f": {}}}, {"required": ["g"]}],
    }
    body = only(body_of(schema, components={"schemas": schemas})).body
    assert body is not None
    assert body.fields == {"a", "b", "c", "d", "e", "f"}


def test_a_body_may_be_a_reference() -> None:
    shared = {"required": True, "content": {"application/json": {"schema": {"properties": {"a": {}}}}}}
    document = document_of(
        {"requestBody": {"$ref": "#/components/requestBodies/A"}}, components={"requestBodies": {"A": shared}}
    )
    body = only(document).body
    assert body is not None
    assert body.required is True
    assert body.fields == {"a"}


@pytest.mark.parametrize("schema", [True, {"anyOf": [True]}])
def test_a_schema_may_be_true(schema: Any) -> None:
    body = only(body_of(schema)).body
    assert body is not None
    assert body.fields == set()


def test_a_body_of_another_media_type_is_complained_of() -> None:
    document = document_of({"requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}}})
    assert "a" in complaint(document, "body")


def test_a_parameter_without_a_schema_is_complained_of() -> None:
    content = {"application/json": {"schema": {"type": "string"}}}
    document = document_of({"parameters": [{"name": "x", "in": "query", "content": content}]})
    assert "parameter x" in complaint(document, "parameters")


def test_a_variable_part_of_the_path_that_no_parameter_declares_is_complained_of() -> None:
    document = {"paths": {"/a/{b}": {"post": {"operationId": "a"}}}}
    assert complaint(document, "parameters") == "a: the parameters in /a/{b} are not those that it declares"


# Security.

BEARER: list[dict[str, list[str]]] = [{"bearer": []}]


@pytest.mark.parametrize(
    ("document", "own", "token_required"),
    [
        (None, None, False),
        (BEARER, None, True),
        (BEARER, [], False),
        (BEARER, [{}], False),
        (BEARER, [{}, {"bearer": []}], False),
        (None, BEARER, True),
        ([], BEARER, True),
    ],
)
def test_a_token_is_required_as_the_operation_says_or_else_the_document(
    document: Any, own: Any, token_required: bool
) -> None:
    keys = {} if document is None else {"security": document}
    operation = only(document_of({} if own is None else {"security": own}, **keys))
    assert operation.token_required is token_required


# References and files.


def test_a_reference_leads_to_what_it_points_to_through_other_references() -> None:
    document = {"a": {"$ref": "#/b/c~1d~0e"}, "b": {"c/d~e": {"f": 1}}}
    assert dereference(document, {"$ref": "#/a"}) == {"f": 1}
    assert dereference(document, {"f": 2}) == {"f": 2}
    assert dereference(document, None) is None


@pytest.mark.parametrize("reference", ["#/nowhere", "#/a/b/c", "#/list/0", "other.yaml#/a"])
def test_a_reference_to_nowhere_is_complained_of(reference: str) -> None:
    with pytest.raises(ContractError) as refused:
        dereference({"a": {"b": 1}, "list": [1]}, {"$ref": reference})
    assert str(refused.value) == f"the contract's reference {reference} points nowhere"


def test_a_reference_to_itself_is_complained_of() -> None:
    document = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}
    with pytest.raises(ContractError, match="the contract's reference #/b points to itself"):
        dereference(document, document["a"])


def test_a_document_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text("paths: {/a: {}}\n")
    assert load_document(path) == {"paths": {"/a": {}}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"paths: [\n  {\n", "{path}:3:1: the contract is not valid YAML: "),
        (b"paths: \xff", "{path}: the contract is not valid YAML: "),
        (b"[]", "{path}: the contract has no paths"),
        (b"paths: []", "{path}: the contract has no paths"),
        (b"", "{path}: the contract has no paths"),
    ],
)
def test_a_file_that_is_no_contract_is_complained_of_with_its_place(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "api.yaml"
    path.write_bytes(content)
    with pytest.raises(ContractError) as refused:
        load_document(path)
    assert str(refused.value).startswith(message.format(path=path))


def test_a_file_that_is_not_there_is_complained_of(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(ContractError) as refused:
        load_document(path)
    assert str(refused.value) == f"the contract {path} cannot be read: No such file or directory"
