"""Answers: JSON bodies, and the errors of the core as the service words them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson
from starlette.responses import Response

from emulator.errors import (
    BadQuery,
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    NotFound,
    RequestRefused,
    TooLarge,
    TooMany,
    Unauthorized,
    UnsupportedMedia,
)
from emulator.texts import writable

STATUS_CODES: dict[type[RequestRefused], int] = {
    BadQuery: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    UnsupportedMedia: 415,
    Invalid: 422,
    TooMany: 429,
}


_MAX_NAME = 1_000
"""A field may be named by megabytes."""

_JSON_TYPE = (b"content-type", b"application/json")


class JsonAnswer(Response):
    """JSON that is written already. Starlette's own way makes every header of texts, for each answer anew."""

    media_type = "application/json"

    def __init__(self, text: bytes, status_code: int = 200) -> None:
        self.body = text
        self.status_code = status_code
        self.background = None
        self.raw_headers = [(b"content-length", b"%d" % len(text)), _JSON_TYPE]


def json_response(body: object, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`body` as JSON, in UTF-8 and without spaces, as the service sends it."""
    answer = JsonAnswer(orjson.dumps(body), status_code)
    if headers is not None:
        answer.headers.update(headers)
    return answer


def refusal(error: RequestRefused) -> Response:
    """The answer to a request that was refused."""
    status_code = next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)
    if isinstance(error, Invalid):
        return json_response({"detail": [_problem(problem) for problem in error.problems]}, status_code)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else None
    return json_response({"detail": writable(error.detail)}, status_code, headers)


def _problem(problem: FieldProblem) -> dict[str, object]:
    loc = [part if isinstance(part, int) else writable(part[:_MAX_NAME]) for part in problem.loc]
    return {"loc": loc, "msg": problem.msg, "type": problem.type}


def internal_error() -> Response:
    return json_response({"detail": "Internal Server Error"}, 500)


def method_not_allowed(allowed: Iterable[str], detail: str | None = None) -> Response:
    return json_response({"detail": detail or "Method Not Allowed"}, 405, {"Allow": _allow(allowed)})


def options(allowed: Iterable[str]) -> Response:
    """The answer to OPTIONS: which methods a path knows."""
    return Response(status_code=204, headers={"Allow": _allow(allowed)})


def _allow(methods: Iterable[str]) -> str:
    return ", ".join(sorted({*methods, "OPTIONS"}))
