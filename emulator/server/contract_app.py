"""A contract as an ASGI application: finds the operation, admits the caller, checks the request, calls the handler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulator.contract.document import Document
from emulator.contract.operations import JSON, Body, Operation, operations
from emulator.contract.parameters import Location
from emulator.contract.routing import Routes
from emulator.errors import (
    ContractError,
    FieldProblem,
    Invalid,
    NotFound,
    RequestRefused,
    TooLarge,
    UnsupportedMedia,
)
from emulator.server.call import Call, Handler
from emulator.server.responses import method_not_allowed, options, refusal
from emulator.server.service import Service
from emulator.tenants.tenant import Tenant

MAX_QUERY_FIELDS = 100


class Admission(Protocol):
    """Decides who may call an operation."""

    def admit(self, request: Request, operation: Operation) -> Tenant | None:
        """The tenant of the request's token, None if it has none and needs none.

        Raises Unauthorized or Forbidden.
        """

    def now_ms(self, tenant: Tenant | None, method: str) -> int:
        """The time that the answer is about."""


class ContractApp:
    """The operations of one document, each answered by the handler of its name."""

    def __init__(
        self, document: Document, handlers: Mapping[str, Handler], admission: Admission, service: Service
    ) -> None:
        """Raises ContractError where an operation has no handler, or a handler no operation."""
        known = operations(document)
        if missing := sorted(known.keys() - handlers.keys()):
            raise ContractError(f"the contract has operations without a handler: {', '.join(missing)}")
        if left := sorted(handlers.keys() - known.keys()):
            raise ContractError(f"there are handlers without an operation in the contract: {', '.join(left)}")
        for operation in known.values():
            _ = operation.parameters, operation.body  # read now: what cannot be read has to stop the start
        self._routes = Routes(known.values())
        self._handlers = dict(handlers)
        self._admission = admission
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:  # nobody is left to be answered
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        raw_path = request.scope["raw_path"].decode("latin-1")
        operation, in_path, allowed = self._routes.find(request.method, raw_path)
        if operation is None:
            if not allowed:
                return refusal(NotFound("Not Found"))
            return options(allowed) if request.method == "OPTIONS" else method_not_allowed(allowed)
        try:
            return self._handlers[operation.operation_id](await self._read(request, operation, in_path))
        except RequestRefused as error:
            return refusal(error)

    async def _read(self, request: Request, operation: Operation, in_path: dict[str, str]) -> Call:
        """Admit the caller, then read parameters and body. Raises RequestRefused."""
        caller = self._admission.admit(request, operation)
        now_ms = self._admission.now_ms(caller, request.method)
        in_query = _query(request)
        values, problems = _parameters(request, operation, in_path, in_query)
        warnings = [("query", name) for name in in_query if name not in operation.query_names]
        body = None
        if operation.body is not None:
            body, in_body = await self._body(request, operation.body)
            problems += in_body
            if isinstance(body, dict):
                warnings += [("body", name) for name in body if name not in operation.body.fields]
        if self._service.settings.strict:
            problems += [FieldProblem(place, "Extra inputs are not permitted", "extra_forbidden") for place in warnings]
        if problems:
            raise Invalid(tuple(problems))
        told = tuple(f"{where}.{name}: not in the contract of {operation.operation_id}" for where, name in warnings)
        return Call(self._service, request, caller, now_ms, values, body, told)

    async def _body(self, request: Request, declared: Body) -> tuple[Any, list[FieldProblem]]:
        data = await _read_limited(request, self._service.settings.max_body_bytes)
        media_type = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if data and media_type not in declared.media_types:
            wanted = " or ".join(sorted(declared.media_types))
            raise UnsupportedMedia(f"Send {wanted}, not {media_type[:100]}")
        if not data:
            missing = [FieldProblem(("body",), "Field required", "missing")] if declared.required else []
            return None, missing
        if declared.is_text:
            return data.decode(errors="surrogateescape"), []
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            return None, [FieldProblem(("body", error.pos), f"JSON decode error: {error.msg}", "json_invalid")]
        return value, list(declared.validator.problems(value, ("body",)))


async def _read_limited(request: Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be over `limit` bytes."""
    too_large = TooLarge(f"The request body is larger than {limit} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _query(request: Request) -> dict[str, list[str]]:
    """The query by name, every value in its order. Raises Invalid where it has too many fields."""
    text = request.scope["query_string"].decode("latin-1")
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


def _parameters(
    request: Request, operation: Operation, in_path: dict[str, str], in_query: dict[str, list[str]]
) -> tuple[dict[str, Any], list[FieldProblem]]:
    values: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    for parameter in operation.parameters:
        match parameter.location:
            case Location.PATH:
                # A path that names nothing is unknown, not malformed.
                values[parameter.name] = in_path[parameter.name]
                continue
            case Location.QUERY:
                texts = in_query.get(parameter.name, [])
            case Location.HEADER:
                texts = request.headers.getlist(parameter.name)
        values[parameter.name], found = parameter.read(texts)
        problems += found
    return values, problems
