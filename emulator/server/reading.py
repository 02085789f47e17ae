"""Reading a request against its operation: headers, parameters, body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import orjson
from msgspec import Struct
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from emulator.contract.operations import JSON, Body, Operation
from emulator.contract.parameters import Location
from emulator.errors import FieldProblem, Invalid, TooLarge, UnsupportedMedia
from emulator.tenants.journal import Exchange

MAX_QUERY_FIELDS = 100
MAX_BODY_DEPTH = 100
"""Lists and objects inside each other; the deepest body of the contract has four. Beyond 255 nothing validates it."""

Headers: TypeAlias = Mapping[str, str]
"""The headers of a request by their names in small letters; of one that is repeated, the last."""


class Incoming(Struct, frozen=True):
    """A request as it came in. `path` is percent-encoded, and `exchange` what the journal will tell of it."""

    scope: Scope
    receive: Receive
    method: str
    path: str
    query: str
    headers: Headers
    exchange: Exchange


def headers_of(scope: Scope) -> Headers:
    # A dict is built in the time in which Starlette's own headers, a list, are searched twice.
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def query_of(text: str) -> dict[str, list[str]]:
    """The query by name, every value in its order. Raises Invalid where it has too many fields."""
    if not text:
        return {}
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        msg = f"A query may have at most {MAX_QUERY_FIELDS} fields"
        raise Invalid((FieldProblem(("query",), msg, "too_long"),)) from None
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def parameters(
    operation: Operation, in_path: Mapping[str, str], in_query: Mapping[str, list[str]], headers: Headers
) -> tuple[dict[str, Any], list[FieldProblem]]:
    """The values of all parameters that `operation` declares, by name, and what is wrong with them."""
    values: dict[str, Any] = dict(in_path)  # a path that names nothing is unknown, not malformed
    problems: list[FieldProblem] = []
    for parameter in operation.read_parameters:
        name = parameter.name
        if parameter.location is Location.QUERY:
            texts: Sequence[str] = in_query.get(name, ())
        else:
            header = headers.get(name.lower())
            texts = () if header is None else (header,)
        values[name], found = parameter.read(texts)
        problems += found
    return values, problems


def check_media_type(declared: Body, headers: Headers) -> None:
    """Raises UnsupportedMedia."""
    media_type = headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media_type not in declared.media_types:
        wanted = " or ".join(sorted(declared.media_types))
        raise UnsupportedMedia(f"Send {wanted}, not {media_type[:100]}")


def body_value(data: bytes, declared: Body) -> tuple[Any, list[FieldProblem]]:
    """What `data` says, and what is wrong with it."""
    if not data:
        missing = [FieldProblem(("body",), "Field required", "missing")] if declared.required else []
        return None, missing
    if declared.is_text:
        return data.decode(errors="surrogateescape"), []
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return None, [FieldProblem(("body", error.pos), f"JSON decode error: {error.msg}", "json_invalid")]
    # Counted first, since few bodies hold so many brackets, and nearly none so many inside each other.
    if data.count(b"[") + data.count(b"{") > MAX_BODY_DEPTH and _is_deeper(value, MAX_BODY_DEPTH):
        msg = f"Input should be nested at most {MAX_BODY_DEPTH} levels deep"
        return None, [FieldProblem(("body",), msg, "too_deep")]
    return value, list(declared.validator.problems(value, ("body",)))


def _is_deeper(value: object, limit: int) -> bool:
    """Whether `value` has more than `limit` lists and objects inside each other. Level by level, not by recursion."""
    level: list[Any] = [value]
    for _ in range(limit + 1):
        level = [part for part in level if isinstance(part, dict | list)]
        if not level:
            return False
        level = [part for whole in level for part in (whole.values() if isinstance(whole, dict) else whole)]
    return True


async def read_limited(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be over `limit` bytes, ClientDisconnect."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        if not message.get("more_body", False) and not chunks:
            if len(chunk) > limit:
                raise _too_large(limit)
            return chunk  # as nearly every body comes: in one piece
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The request body is larger than {limit} bytes")
