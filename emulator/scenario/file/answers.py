"""Answers that faults give, written out: a status code, headers, a body."""

from __future__ import annotations

import json
from dataclasses import dataclass

from emulator.documents import Node, ScalarNode
from emulator.faults.answers import JSON, Answer, plain_answer
from emulator.faults.fault import MAX_BODY_BYTES
from emulator.scenario.file.grammar import Findings, Form, Schema
from emulator.scenario.file.records import ByShape, Key, Record, Table, Values
from emulator.scenario.file.scalars import AnyJson, Integer, Text
from emulator.scenario.json_value import Json

WORDS = "a status code such as `503`, or an answer such as `{status: 503, headers: {Retry-After: 1}, body: {}}`"
TEXT = "text/plain; charset=utf-8"
_MADE_BY_THE_SERVER = frozenset({"content-length", "transfer-encoding"})
_BODILESS = (204, 304)


@dataclass(frozen=True)
class _HeaderName(Form[str]):
    words: str = "the name of a header such as `Retry-After`"

    def _text(self) -> Text:
        return Text(self.words, r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")

    def read(self, node: Node, path: str, findings: Findings) -> str:
        name = self._text().read(node, path, findings)
        if name.lower() in _MADE_BY_THE_SERVER:
            message = f"`{name}` follows from the body: ask for the fault `truncated` if it is to be wrong"
            raise findings.refused(node, path, message, beyond_schema=True)
        return name

    def schema(self) -> Schema:
        return self._text().schema()


@dataclass(frozen=True)
class _HeaderValue(Form[str]):
    """Printable ASCII on one line; a whole number needs no quotes."""

    words: str = "the value of a header: printable characters on one line"

    def _text(self) -> Text:
        return Text(self.words, r"(?:[!-~](?:[ -~]{0,998}[!-~])?)?")

    def _number(self) -> Integer:
        return Integer(0, 2**53)

    def read(self, node: Node, path: str, findings: Findings) -> str:
        if isinstance(node, ScalarNode) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return str(self._number().read(node, path, findings))
        return self._text().read(node, path, findings)

    def schema(self) -> Schema:
        return {"anyOf": [self._text().schema(), self._number().schema()]}


_STATUS_CODE = Integer(200, 599, "a status code")

STATUS: Key[int] = Key("status", _STATUS_CODE, "The status code.", 503, required=True)
HEADERS = Key(
    "headers",
    Table(_HeaderName(), _HeaderValue(), "headers such as `{Retry-After: 1}`", max_entries=50),
    "Its headers. Without a `Content-Type` the body decides.",
    {"Retry-After": 1},
)
BODY: Key[Json] = Key(
    "body",
    AnyJson(),
    "Its body, at most 64 KiB: a text goes out as it is, anything else as JSON. Left out: `detail` with the name of"
    " the status code.",
    {"detail": "Down for maintenance"},
)


@dataclass(frozen=True)
class _StatusAlone(Form[Answer]):
    words: str = WORDS

    def read(self, node: Node, path: str, findings: Findings) -> Answer:
        return plain_answer(_STATUS_CODE.read(node, path, findings))

    def schema(self) -> Schema:
        return _STATUS_CODE.schema()


def _build(values: Values, findings: Findings) -> Answer:
    status_code = values[STATUS]
    plain = plain_answer(status_code)
    body, media_type = plain.body, plain.media_type
    if BODY in values:
        given = values[BODY]
        is_text = isinstance(given, str)
        body = given.encode("utf-8", "replace") if isinstance(given, str) else json.dumps(given).encode()
        media_type = TEXT if is_text else JSON
        entry, path = values.entry(BODY), f"{values.path}.body"
        if len(body) > MAX_BODY_BYTES:
            message = f"the body has {len(body)} bytes, and {MAX_BODY_BYTES} is the most"
            raise findings.refused(entry, path, message, beyond_schema=True)
        if body and status_code in _BODILESS:
            message = f"an answer with {status_code} has no body: leave it out"
            raise findings.refused(entry, path, message, beyond_schema=True)
    headers = {name: located.value for name, located in values.get(HEADERS, {}).items()}
    return Answer(status_code, body, media_type, tuple(headers.items()))


ANSWER: ByShape[Answer] = ByShape(
    WORDS,
    scalar=_StatusAlone(),
    mapping=Record(
        WORDS,
        (STATUS, HEADERS, BODY),
        _build,
        synonyms=dict.fromkeys(("status_code", "code"), "status")
        | dict.fromkeys(("content", "text", "json", "data"), "body")
        | {"header": "headers"},
        strangers={"retry_after": "inside `answer` it is a header: write `headers: {Retry-After: 1}`"},
    ),
)
