"""A contract as an ASGI application: finds the operation, admits the caller, checks the request, calls the handler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from time import perf_counter_ns
from typing import Any, Protocol

from msgspec.structs import replace
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulator.clock import wall_ms
from emulator.contract.document import Document
from emulator.contract.operations import Operation, operations
from emulator.contract.routing import Routes
from emulator.contract.validation import nearest_hint, unknown_field
from emulator.errors import ContractError, FieldProblem, Invalid, NotFound, RequestRefused, TooLarge, UnsupportedMedia
from emulator.server.call import Call, Handler
from emulator.server.excerpt import excerpt
from emulator.server.faults import hit_on, refusal_by, spoilt
from emulator.server.reading import (
    Headers,
    Incoming,
    body_value,
    check_media_type,
    headers_of,
    parameters,
    query_of,
    read_limited,
)
from emulator.server.responses import internal_error, method_not_allowed, options, refusal
from emulator.server.service import Service
from emulator.tenants.journal import Exchange
from emulator.tenants.tenant import Tenant
from emulator.texts import writable

MAX_UNKNOWN = 20
"""So many fields that the contract does not know are named, of one request."""

_MAX_PATH = 500
_MAX_QUERY = 2_000
_MAX_NAME = 200
_MAX_DETAIL = 2_000


_UNANSWERED = Response(status_code=0)
"""What observers see of a request whose client went away before it was read."""


class Admission(Protocol):
    """Decides who may call an operation."""

    def admit(self, headers: Headers, operation: Operation, method: str) -> Tenant | None:
        """The tenant of the request's token, None if it has none and needs none.

        Raises Unauthorized or Forbidden.
        """

    def caller_key(self, headers: Headers) -> str:
        """The key of the tenant that the token opens, for the journal; empty if it opens none."""

    def now_ms(self, tenant: Tenant | None, method: str) -> int:
        """The time that the answer is about."""


class ContractApp:
    """The operations of one document, each answered by the handler of its name."""

    def __init__(
        self,
        document: Document,
        handlers: Mapping[str, Handler],
        admission: Admission,
        service: Service,
        *,
        journaled: bool,
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
        self._handlers = {operation_id: handlers[operation_id] for operation_id in known}
        self._admission = admission
        self._service = service
        self._journal = service.cloud.journal if journaled else None
        self._armed = service.cloud.armed if journaled else frozenset()  # what the journal tells of, faults can hit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_ns = perf_counter_ns()
        raw_path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        method = scope["method"]
        exchange = Exchange(method, raw_path[:_MAX_PATH], query[:_MAX_QUERY], wall_ms())
        # Mistakes of ours: the client has its answer first, the log of the server will have the rest.
        mistakes: list[Exception] = []
        try:
            request = Incoming(scope, receive, method, raw_path, query, headers_of(scope), exchange)
            response = await self._answer(request)
        except ClientDisconnect:
            response = _UNANSWERED
        except Exception as mistake:  # noqa: BLE001  raised below
            mistakes.append(mistake)
            response = internal_error()
        exchange.status_code = response.status_code
        exchange.duration_us = (perf_counter_ns() - started_ns) // 1000
        mistakes += self._told(exchange, response)
        if response is not _UNANSWERED:
            await response(scope, receive, send)
        if mistakes:
            raise mistakes[0] if len(mistakes) == 1 else ExceptionGroup("mistakes over one request", mistakes)

    def _told(self, exchange: Exchange, response: Response) -> list[Exception]:
        """Tell all who want to know of a request that is about to be answered. Returns the mistakes that they made."""
        if self._journal is not None:
            self._journal.add(exchange)
        mistakes: list[Exception] = []
        for observe in self._service.observers:
            try:
                observe(exchange, response)
            except Exception as mistake:  # noqa: BLE001  raised once the request is answered
                mistakes.append(mistake)
        return mistakes

    async def _answer(self, request: Incoming) -> Response:
        method, exchange = request.method, request.exchange
        operation, in_path, allowed = self._routes.find(method, request.path)
        if operation is None:
            self._note_caller(request)
            if method == "OPTIONS" and allowed:
                return options(allowed)
            problem = self._unknown(request.path, allowed)
            exchange.problems = (FieldProblem(("path",), problem, "unknown_operation"),)
            if allowed:
                return method_not_allowed(allowed, None if self._journal is not None else problem)
            # The service says no more than that; what it lacks is told by the journal, which our own API is not in.
            return refusal(NotFound("Not Found" if self._journal is not None else problem))
        exchange.operation = operation
        named = in_path.get("execution_id")
        exchange.execution_id = named and named[:_MAX_PATH]
        if not self._armed:
            return await self._handled(request, operation, in_path)
        caller_key = self._admission.caller_key(request.headers)
        hit = hit_on(self._service.cloud, operation, request, caller_key)
        if hit is None:
            return await self._handled(request, operation, in_path)
        exchange.fault = hit.told
        response = await self._handled(request, operation, in_path, refusal_by(hit))
        return await spoilt(response, hit, self._service, request.receive)

    def _note_caller(self, request: Incoming) -> None:
        """Who was refused, and at what time, where that is not known by now."""
        exchange = request.exchange
        exchange.caller = exchange.caller or self._admission.caller_key(request.headers)
        if exchange.at_ms is None:
            exchange.at_ms = self._service.cloud.now_ms_of(exchange.caller)

    def _unknown(self, path: str, allowed: Set[str]) -> str:
        if allowed:
            return f"there is no such method for this path in the contract, only {', '.join(sorted(allowed))}"
        near = self._routes.nearest(path[:_MAX_PATH])
        return f"there is no such path in the contract{f'; did you mean {near}?' if near else ''}"

    async def _handled(
        self, request: Incoming, operation: Operation, in_path: dict[str, str], refused: Response | None = None
    ) -> Response:
        """The operation's answer, or `refused` if it is given: then the request is read for the journal alone."""
        exchange = request.exchange
        try:
            method = request.method
            caller = self._admission.admit(request.headers, operation, method)
            if caller is not None:
                exchange.caller = caller.key
            elif exchange.execution_id is not None and self._journal is not None:
                # A stream is followed without a token; whoever reads the journal of its run wants to see that.
                owner = self._service.cloud.owner_of(exchange.execution_id)
                exchange.caller = "" if owner is None else owner.key
            now_ms = exchange.at_ms = self._admission.now_ms(caller, method)
            data = b""
            if operation.body is not None:
                data = await read_limited(request.receive, request.headers, self._service.settings.max_body_bytes)
            values, body = self._read(request, operation, in_path, data)
            if refused is not None:
                return refused
            call = Call(self._service, request.scope, request.headers, caller, now_ms, values, body, exchange)
            answer = self._handlers[operation.operation_id](call)
            return answer if isinstance(answer, Response) else await answer
        except RequestRefused as error:
            self._note_caller(request)
            exchange.problems = _broken(error)
            if refused is not None:
                return refused
            exchange.refusal = error.detail[:_MAX_DETAIL]
            return refusal(error)

    def _read(
        self, request: Incoming, operation: Operation, in_path: dict[str, str], data: bytes
    ) -> tuple[dict[str, Any], Any]:
        """The values of all parameters, and that of the body, which is `data`. Raises RequestRefused."""
        exchange = request.exchange
        in_query = query_of(request.query)
        values, problems = parameters(operation, in_path, in_query, request.headers)
        unknown = [("query", name) for name in in_query if name not in operation.query_names]
        body = None
        declared = operation.body
        if declared is not None:
            exchange.body_bytes = len(data)
            if data:
                check_media_type(declared, request.headers)
            body, in_body = body_value(data, declared)
            problems += in_body
            if not declared.is_text:
                exchange.body = excerpt(data, body, declared, in_body)
            if isinstance(body, dict):
                unknown += [("body", name) for name in body if name not in declared.fields]
        if unknown:
            exchange.warnings = tuple(_warnings(unknown, operation))
            # Who misspells a filter of the control API must not be answered as if there were none. What its bodies
            # may hold is said by their schemas.
            strict = self._service.settings.strict
            refused = unknown if strict else [] if self._journal else [each for each in unknown if each[0] == "query"]
            told = {problem.loc for problem in problems}
            problems += [
                unknown_field((where,), name, _known(where, operation))
                for where, name in refused[:MAX_UNKNOWN]
                if (where, name) not in told  # by the schema already, as our own API's are
            ]
        if problems:
            raise Invalid(tuple(problems))
        return values, body


def _warnings(unknown: list[tuple[str, str]], operation: Operation) -> Iterator[str]:
    """What is said of fields that the contract does not know. Runs and the journal keep it, so it is bounded."""
    for where, name in unknown[:MAX_UNKNOWN]:
        hint = nearest_hint(name, _known(where, operation))
        shown = writable(str(_shortened(name)))
        yield f"{where}.{shown}: not in the contract of {operation.operation_id}{hint}"
    if len(unknown) > MAX_UNKNOWN:
        yield f"and {len(unknown) - MAX_UNKNOWN} more that are not in the contract of {operation.operation_id}"


def _known(where: str, operation: Operation) -> frozenset[str]:
    return operation.query_names if where == "query" or operation.body is None else operation.body.fields


def _shortened(name: str | int) -> str | int:
    return name if isinstance(name, int) or len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."


def _broken(error: RequestRefused) -> tuple[FieldProblem, ...]:
    """Where the request that was refused breaks the contract, if it was refused for that."""
    if isinstance(error, Invalid):
        return tuple(replace(problem, loc=tuple(map(_shortened, problem.loc))) for problem in error.problems)
    if isinstance(error, TooLarge | UnsupportedMedia):
        return (FieldProblem(("body",), error.detail, "body"),)
    return ()
