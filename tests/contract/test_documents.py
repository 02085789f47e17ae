"""The two contracts as documents: sound, complete, and honest about what they know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from emulator.contract.document import Document, dereference, load_document

ROOT = Path(__file__).parents[2]
SERVICE = load_document(ROOT / "openapi.yaml")
CONTROL = load_document(ROOT / "emulator" / "control" / "openapi.yaml")
METHODS = ("get", "put", "post", "patch", "delete")

both_documents = pytest.mark.parametrize("document", [SERVICE, CONTROL], ids=["service", "control"])


def operations(document: Document) -> list[dict[str, Any]]:
    return [item[method] for item in document["paths"].values() for method in METHODS if method in item]


def each_operation(*documents: Document) -> pytest.MarkDecorator:
    cases = [
        pytest.param(document, operation, id=operation["operationId"])
        for document in documents
        for operation in operations(document)
    ]
    return pytest.mark.parametrize(("document", "operation"), cases)


def nodes(node: object, place: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping in a document with its place, those inside examples left out."""
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            if key not in ("example", "examples"):
                yield from nodes(value, f"{place}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, f"{place}[{index}]")


def examples(media_type: dict[str, Any]) -> list[Any]:
    """The values of `example` and `examples`; an example in an envelope counts as its value."""
    several = [example["value"] for example in media_type.get("examples", {}).values()]
    return [media_type["example"], *several] if "example" in media_type else several


def complaints(document: Document, media_type: dict[str, Any]) -> list[str]:
    """What the schema of `media_type` has against its own examples."""
    schema = {**media_type["schema"], "components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return [str(error) for example in examples(media_type) for error in validator.iter_errors(example)]


@both_documents
def test_a_contract_is_a_valid_openapi_document(document: Document) -> None:
    validate(document)


@both_documents
def test_operation_ids_are_given_once(document: Document) -> None:
    ids = [operation["operationId"] for operation in operations(document)]
    assert sorted(set(ids)) == sorted(ids)


@each_operation(SERVICE, CONTROL)
def test_an_operation_has_a_known_tag_and_a_summary(document: Document, operation: dict[str, Any]) -> None:
    assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}
    assert len(operation["tags"]) == 1
    assert operation["summary"]


@each_operation(SERVICE, CONTROL)
def test_an_operation_shows_a_json_answer_that_its_schema_accepts(
    document: Document, operation: dict[str, Any]
) -> None:
    content = dereference(document, operation["responses"]["200"])["content"]
    if "application/json" in content:
        assert examples(content["application/json"])
        assert complaints(document, content["application/json"]) == []


@each_operation(SERVICE, CONTROL)
def test_an_operation_with_a_body_shows_one_that_its_schema_accepts(
    document: Document, operation: dict[str, Any]
) -> None:
    if "requestBody" in operation:
        media_type = operation["requestBody"]["content"]["application/json"]
        assert examples(media_type)
        assert complaints(document, media_type) == []


@each_operation(SERVICE, CONTROL)
def test_an_error_shows_a_body_that_its_schema_accepts(document: Document, operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if status != "200":
            content = dereference(document, response)["content"]
            if operation["operationId"] == "get_notebook_page" and status != "404":  # a page for people, like its 200
                assert examples(content["text/html"])
                continue
            media_type = content["application/json"]
            assert examples(media_type)
            assert complaints(document, media_type) == []


@both_documents
def test_every_integer_has_bounds_that_fit_64_bits(document: Document) -> None:
    integers = [(place, node) for place, node in nodes(document) if "integer" in types(node)]
    assert integers
    for place, node in integers:
        assert -(2**63) <= node["minimum"] <= node["maximum"] < 2**63, place
        assert node["format"] == "int64", place


def types(schema: dict[str, Any]) -> list[Any]:
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind]


@each_operation(SERVICE)
def test_all_of_the_service_wants_a_token_except_the_stream(document: Document, operation: dict[str, Any]) -> None:
    token_is_optional = operation["tags"] == ["stream"]
    wanted: list[dict[str, list[str]]] = [{}, {"bearer": []}] if token_is_optional else [{"bearer": []}]
    assert operation.get("security", document["security"]) == wanted


@each_operation(CONTROL)
def test_all_of_the_control_api_takes_a_token_except_health_and_pages(
    document: Document, operation: dict[str, Any]
) -> None:
    security = operation.get("security", document["security"])
    if operation["operationId"] in ("get_health", "get_notebook_page"):
        assert security == []
    else:
        assert security == [{}, {"bearer": []}, {"controlToken": []}, {"bearer": [], "controlToken": []}]


@both_documents
def test_whatever_goes_beyond_the_documentation_says_where_it_comes_from(document: Document) -> None:
    for place, node in nodes(document):
        assert ("x-evidence" in node) == ("x-source" in node), place
        if "x-evidence" in node:
            assert node["x-evidence"] in ("observed", "inferred"), place
            assert "\n" not in node["x-source"], place


def test_every_start_links_to_what_can_be_done_with_its_run() -> None:
    follow_ups = {
        item[method]["operationId"]
        for path, item in SERVICE["paths"].items()
        for method in METHODS
        if method in item and "{execution_id}" in path
    }
    assert "get_execution" in follow_ups
    starts = [op for op in operations(SERVICE) if op["operationId"].startswith("start_")]
    assert len(starts) == 4
    of_selections = {"get_gpu_selection_status"}  # which no other run has
    for start in starts:
        is_selection = start["operationId"] == "start_gpu_selection"
        assert linked_from(start) == (follow_ups if is_selection else follow_ups - of_selections)


def test_the_org_links_to_the_starts() -> None:
    (org,) = (op for op in operations(SERVICE) if op["operationId"] == "get_user_org")
    assert linked_from(org) == {
        "start_python_execution",
        "start_image_execution",
        "start_compose_execution",
    }


def linked_from(operation: dict[str, Any]) -> set[str]:
    links = dereference(SERVICE, operation["responses"]["200"])["links"].values()
    return {dereference(SERVICE, link)["operationId"] for link in links}


@pytest.mark.parametrize(
    "step",
    [
        *("15", "0.5", "0.001", "14.736842105263158", "15s", "1m", "1h30m", "0h30m", "1d02h", "500ms"),
        *("999999s", "99999d99999h"),
    ],
)
def test_a_step_can_be_seconds_or_a_duration(step: str) -> None:
    assert step_schema().is_valid(step)


@pytest.mark.parametrize(
    "step",
    [
        *("", "0", "0.0", "0s", "0h0m", "0.0001", "-1", "1e3", "1.5s", "1s1m", "s", "15s\n", "١s"),
        *("1000000s", "100000d", "1d100000h"),
    ],
)
def test_a_step_is_never_nothing_and_never_out_of_bounds(step: str) -> None:
    assert not step_schema().is_valid(step)


def step_schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(SERVICE["components"]["schemas"]["Step"])
