"""Holding answers against the contract."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import orjson

from emulator.contract.document import dereference
from emulator.contract.operations import JSON, Operation
from emulator.contract.validation import SchemaValidator


class DocumentedAnswers:
    """What one operation may answer."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._validators: dict[tuple[str, str], SchemaValidator] = {}

    @cached_property
    def _responses(self) -> dict[str, dict[str, Any]]:
        document = self._operation.document
        return {
            str(code): dereference(document, response) for code, response in self._operation.node["responses"].items()
        }

    def problems(self, status_code: int, media_type: str, body: bytes | None) -> Iterator[str]:
        """Where an answer departs from the contract, a sentence each. `body` is None where it is not known yet."""
        code = str(status_code)
        response = self._responses.get(code)
        if response is None:
            yield f"status {code} is not documented: {', '.join(sorted(self._responses))} are"
            return
        content = response.get("content", {})
        if not content:
            if body:
                yield f"status {code} is documented without a body, and came with {len(body)} bytes"
            return
        if media_type not in content:
            yield f"the body of status {code} is {media_type or 'of no type'}, and not {' or '.join(sorted(content))}"
            return
        if media_type == JSON and body is not None:
            yield from self._body_problems(code, content[media_type].get("schema", {}), body)

    def _body_problems(self, code: str, schema: dict[str, Any] | bool, body: bytes) -> Iterator[str]:
        key = (code, JSON)
        validator = self._validators.get(key)
        if validator is None:
            validator = self._validators[key] = SchemaValidator(self._operation.document, schema)
        for problem in validator.problems(orjson.loads(body), ("answer",)):
            yield str(problem)
