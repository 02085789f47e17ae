"""Answers that go wrong on their way to the client, as faults ask for."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from itertools import pairwise

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from emulator.faults.effect import ON_LINES, Effect
from emulator.faults.fault import Fault
from emulator.faults.standing import Hit
from emulator.server.connection import break_off
from emulator.server.disorder import Disorder
from emulator.server.pausing import pause_while_heard
from emulator.server.service import Service

_DRIPS_PER_S = 20
_LINE = b'data: {"output"'
_COMMENT = b":"


class NoAnswer(Response):
    """Nothing at all: the connection is reset. Its status code is 0, since none is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.status_code = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await break_off(scope, receive, reset=True)


class _Spoilt(Response):
    """An answer with the head of another one."""

    def __init__(self, whole: Response) -> None:
        super().__init__(bytes(whole.body), whole.status_code)
        self.raw_headers = whole.raw_headers

    async def _begin(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


class TornAnswer(_Spoilt):
    """An answer whose head promises all of the body, and whose connection breaks within it."""

    def __init__(self, whole: Response, fault: Fault) -> None:
        super().__init__(whole)
        length = len(whole.body)
        wanted = length // 2 if fault.after_bytes is None else fault.after_bytes
        self._part = bytes(whole.body[: max(0, min(wanted, length - 1))])
        self._reset = fault.effect is Effect.RESET_IN_BODY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._begin(send)
        await send({"type": "http.response.body", "body": self._part, "more_body": True})
        await break_off(scope, receive, reset=self._reset)


class DrippingAnswer(_Spoilt):
    """An answer whose body comes in small pieces."""

    def __init__(self, whole: Response, fault: Fault, service: Service) -> None:
        super().__init__(whole)
        self._service = service
        self._over_s = fault.over_ms / 1000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._begin(send)
        body = bytes(self.body)
        pieces = max(1, min(len(body), int(self._over_s * _DRIPS_PER_S)))
        cuts = [len(body) * number // pieces for number in range(pieces + 1)]
        for start, end in pairwise(cuts):
            await pause_while_heard(self._service, self._over_s / pieces, receive)
            await send({"type": "http.response.body", "body": body[start:end], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def malformed(whole: Response) -> Response:
    """The same answer with a body of the same length that is no JSON: a comma in place of its end."""
    if whole.body:
        whole.body = bytes(whole.body[:-1]) + b","
    return whole


class BadStream(Response):
    """A stream that goes wrong after some events, in what they say, or in the order of its lines."""

    def __init__(self, whole: StreamingResponse, hit: Hit, fault: Fault, service: Service) -> None:
        super().__init__(status_code=whole.status_code)
        self.raw_headers = whole.raw_headers
        self._whole, self._hit, self._fault, self._service = whole, hit, fault, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chunks = self._whole.body_iterator
        if self._fault.effect in ON_LINES:
            self._whole.body_iterator = disordered(chunks, self._fault.effect, self._hit.strikes_line)
        elif self._fault.effect is Effect.STREAM_MALFORMED:
            self._whole.body_iterator = malformed_events(chunks, self._fault.after_events, self._hit.strikes_line)
        else:
            self._whole.body_iterator = self._cut(chunks, scope, receive)
        async with contextlib.AsyncExitStack() as stack:
            if isinstance(chunks, AsyncGenerator):
                stack.push_async_callback(chunks.aclose)
            await self._whole(scope, receive, send)

    async def _cut(
        self, chunks: AsyncIterable[str | bytes | memoryview], scope: Scope, receive: Receive
    ) -> AsyncGenerator[bytes, None]:
        if left := self._fault.after_events:  # else there is no event to wait for
            async for event in events_of(chunks):
                left -= not event.startswith(_COMMENT)
                yield event
                if left == 0:
                    break
        match self._fault.effect:
            case Effect.STREAM_STALLED:
                while not self._service.closing:  # whoever goes away ends this from outside
                    await self._service.cloud.clock.bell.wait()
            case Effect.STREAM_CUT:
                await break_off(scope, receive, reset=False)
            case Effect.STREAM_RESET:
                await break_off(scope, receive, reset=True)


async def events_of(chunks: AsyncIterable[str | bytes | memoryview]) -> AsyncGenerator[bytes, None]:
    """The events and comments of a stream one by one, however many come together."""
    async for chunk in chunks:
        whole = chunk.encode() if isinstance(chunk, str) else bytes(chunk)
        for event in whole.removesuffix(b"\n\n").split(b"\n\n"):
            yield event + b"\n\n"


async def malformed_events(
    chunks: AsyncIterable[str | bytes | memoryview], spared: int, struck: Callable[[int], bool]
) -> AsyncGenerator[bytes, None]:
    """A stream some of whose events, after the first `spared`, have JSON of the same length without its end."""
    number = 0
    async for event in events_of(chunks):
        if event.startswith(_COMMENT):
            yield event
            continue
        yield event[:-3] + b",\n\n" if number >= spared and struck(number) else event
        number += 1


async def disordered(
    chunks: AsyncIterable[str | bytes | memoryview], effect: Effect, struck: Callable[[int], bool]
) -> AsyncGenerator[bytes, None]:
    """A stream some of whose lines come twice, or change places with the next one."""
    disorder: Disorder[bytes] = Disorder(effect, struck)
    async for event in events_of(chunks):
        if event.startswith(_LINE):
            out = disorder.put(event)
        elif event.startswith(_COMMENT):
            out = [event]
        else:
            out = [*disorder.rest(), event]
        if out:
            yield b"".join(out)
    if rest := disorder.rest():
        yield b"".join(rest)
