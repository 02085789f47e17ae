"""Ways into an emulator of this process without a socket: for httpx, and as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import unquote

import anyio
import httpx2
from anyio.to_thread import run_sync
from starlette.types import Receive, Scope, Send

from emulator.embedded.passage import Message, Passage
from emulator.embedded.thread import EmulatorThread
from emulator.errors import Unreachable

__tracebackhide__ = True


class Transport(httpx2.BaseTransport):
    """An httpx2 transport for synchronous clients. Waits no longer than the client's read timeout."""

    def __init__(self, thread: EmulatorThread) -> None:
        self._thread = thread

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = _Answer(self._thread, request, request.read())
        try:
            return answer.begin(answer.passage.take(answer.timeout_s), _Stream)
        except TimeoutError:
            answer.close()
            raise answer.too_late() from None
        except BaseException:
            answer.close()
            raise


class AsyncTransport(httpx2.AsyncBaseTransport):
    """The same for asynchronous clients, in any event loop: asyncio's or trio's."""

    def __init__(self, thread: EmulatorThread) -> None:
        self._thread = thread

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = _Answer(self._thread, request, await request.aread())
        try:
            return answer.begin(await _take(answer.passage, answer.timeout_s), _AsyncStream)
        except TimeoutError:
            answer.close()
            raise answer.too_late() from None
        except BaseException:
            answer.close()
            raise


class Application:
    """The emulator as an ASGI application that can be called in any event loop."""

    def __init__(self, thread: EmulatorThread) -> None:
        self._thread = thread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000, "reason": "there are no websockets here"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        raw_path = scope.get("raw_path") or scope["path"].encode()
        plain = {name: scope[name] for name in _KEPT if name in scope} | {"asgi": _ASGI, "raw_path": raw_path}
        passage = self._thread.enter(plain, body)
        is_whole = False
        try:
            while messages := await _take(passage, None):
                for each in messages:
                    await send(each)
                is_whole = messages[-1]["type"] == "http.response.body" and not messages[-1].get("more_body", False)
        finally:
            self._thread.leave(passage)
        if not is_whole:  # as a test client around the application itself would meet it
            raise ConnectionResetError("the emulator broke the answer off: a fault did, or it was stopped")


_ASGI = {"version": "3.0", "spec_version": "2.4"}
_KEPT = ("type", "http_version", "method", "scheme", "path", "query_string", "headers", "client", "server", "root_path")


async def _lifespan(receive: Receive, send: Send) -> None:
    """Nothing has to be started: the emulator runs already."""
    for phase in ("startup", "shutdown"):
        while (await receive())["type"] != f"lifespan.{phase}":
            pass
        await send({"type": f"lifespan.{phase}.complete"})


def ask(
    thread: EmulatorThread, method: str, target: str, headers: dict[str, str], body: bytes, timeout_s: float
) -> tuple[int, bytes]:
    """Status code and body of one answer, without the costs of a client. Raises Unreachable."""
    path, _, query = target.partition("?")
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    passage = thread.enter(_scope(method, "http", path.encode(), query.encode(), raw), body)
    messages: list[Message] = []
    try:
        while len(messages) < 2 or messages[-1].get("more_body", False):
            more = passage.take(timeout_s)
            if not more:
                raise Unreachable("the emulator ended before it had answered")
            messages += more
    except TimeoutError:
        raise Unreachable(f"the emulator has not answered within {timeout_s:g} s") from None
    finally:
        thread.leave(passage)
    return messages[0]["status"], b"".join(bytes(each.get("body", b"")) for each in messages[1:])


async def _take(passage: Passage, timeout_s: float | None) -> list[Message]:
    # A limit of its own: those who follow streams must not use up the threads that others wait in.
    return await run_sync(passage.take, timeout_s, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))


class _Answer:
    """A request of httpx2, under way in the application."""

    def __init__(self, thread: EmulatorThread, request: httpx2.Request, body: bytes) -> None:
        self._thread = thread
        self.request = request
        self.timeout_s: float | None = request.extensions.get("timeout", {}).get("read")
        raw_path, _, query = request.url.raw_path.partition(b"?")
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        try:
            self.passage = thread.enter(_scope(request.method, request.url.scheme, raw_path, query, headers), body)
        except Unreachable as gone:
            raise httpx2.ConnectError(str(gone), request=request) from gone

    def begin(self, messages: list[Message], stream: type[_Stream] | type[_AsyncStream]) -> httpx2.Response:
        """The response, as far as its head; most are complete by then."""
        if not messages:
            self.close()
            raise httpx2.RemoteProtocolError("the emulator ended without an answer", request=self.request)
        head, *rest = messages
        if rest and not rest[-1].get("more_body", False):
            self.close()
            content = httpx2.ByteStream(self.body_of(rest))
            return httpx2.Response(head["status"], headers=head["headers"], stream=content, request=self.request)
        return httpx2.Response(head["status"], headers=head["headers"], stream=stream(self, rest), request=self.request)

    def body_of(self, messages: list[Message]) -> bytes:
        return b"" if self.request.method == "HEAD" else b"".join(bytes(each.get("body", b"")) for each in messages)

    def broken_off(self) -> httpx2.RemoteProtocolError:
        return httpx2.RemoteProtocolError("the answer ended before it was complete", request=self.request)

    def too_late(self) -> httpx2.ReadTimeout:
        return httpx2.ReadTimeout(
            f"nothing more came within {self.timeout_s:g} s of wall time (does somebody have to move the clock?)",
            request=self.request,
        )

    def close(self) -> None:
        self._thread.leave(self.passage)


class _Stream(httpx2.SyncByteStream):
    """The rest of an answer, piece by piece."""

    def __init__(self, answer: _Answer, first: list[Message]) -> None:
        self._answer = answer
        self._first = first

    def __iter__(self) -> Iterator[bytes]:
        messages = self._first
        while not messages or messages[-1].get("more_body", False):
            yield self._answer.body_of(messages)
            try:
                messages = self._answer.passage.take(self._answer.timeout_s)
            except TimeoutError:
                raise self._answer.too_late() from None
            if not messages:
                raise self._answer.broken_off()
        yield self._answer.body_of(messages)

    def close(self) -> None:
        self._answer.close()


class _AsyncStream(httpx2.AsyncByteStream):
    """The same, awaited."""

    def __init__(self, answer: _Answer, first: list[Message]) -> None:
        self._answer = answer
        self._first = first

    async def __aiter__(self) -> AsyncIterator[bytes]:
        messages = self._first
        while not messages or messages[-1].get("more_body", False):
            yield self._answer.body_of(messages)
            try:
                messages = await _take(self._answer.passage, self._answer.timeout_s)
            except TimeoutError:
                raise self._answer.too_late() from None
            if not messages:
                raise self._answer.broken_off()
        yield self._answer.body_of(messages)

    async def aclose(self) -> None:
        self._answer.close()


def _scope(
    method: str, scheme: str, raw_path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]
) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
        "root_path": "",
    }
