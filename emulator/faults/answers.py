"""The answers that faults give in place of the service's own."""

from __future__ import annotations

import json
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from emulator.faults.effect import Effect

JSON, HTML = "application/json", "text/html"


class Answer(Struct, frozen=True):
    """A whole answer. `headers` come as they were given; `media_type` is for one that names none itself."""

    status_code: int
    body: bytes
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    def with_header(self, name: str, value: str) -> Answer:
        """The same with a header of this name, in place of one that it has."""
        others = tuple(each for each in self.headers if each[0] != name)
        return replace(self, headers=(*others, (name, value)))


def plain_answer(status_code: int) -> Answer:
    """An answer with nothing but a status code, in the form of the service's errors; 204 and 304 have no body."""
    if status_code in (204, 304):
        return Answer(status_code, b"")
    return _error(status_code, _phrase(status_code))


def _phrase(status_code: int) -> str:
    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return f"Status {status_code}"


def _error(status_code: int, detail: str) -> Answer:
    return Answer(status_code, json.dumps({"detail": detail}).encode())


def _page(status_code: int) -> Answer:
    title = f"{status_code} {_phrase(status_code)}"
    page = f"<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
    return Answer(status_code, page.encode(), HTML)


READY_MADE: dict[Effect, Answer] = {
    Effect.RATE_LIMITED: _error(429, "Too many requests").with_header("Retry-After", "1"),
    Effect.NO_CAPACITY: _error(500, "The instance could not be provisioned right now. Please try again in a moment."),
    Effect.SERVER_ERROR: _error(500, "Internal Server Error"),
    Effect.BAD_GATEWAY: _page(502),
    Effect.UNAVAILABLE: _page(503),
    Effect.GATEWAY_TIMEOUT: _page(504),
    Effect.EXPIRED_TOKEN: _error(401, "Token expired").with_header("WWW-Authenticate", "Bearer"),
}
"""What each ready-made fault answers.

Sources: the status and text for lack of capacity were seen by the authors of a third-party client; the texts of 429
and 401 stand in that client's tests. That 502, 503 and 504 come as a page, from what stands in front of the service, is
inferred, and so is `Retry-After`.
"""
