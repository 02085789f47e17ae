"""One call of a callback URL over HTTP, within bounds of time and size."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from emulator import __version__
from emulator.server.receivers import Address, Gate, Receiver

if TYPE_CHECKING:
    import httpx2

AGENT = "lyceum-emulator/"
"""What the User-Agent of every callback begins with."""

MAX_ANSWER_BYTES = 64 << 10
"""So much of an answer is read, and thrown away, so that a receiver that says a few words can finish them."""


class Unanswered(Exception):
    """Nothing came back that has a status code; the message says why, and shows nothing of the URL."""


async def post(gate: Gate, receiver: Receiver, body: bytes, *, limit_s: float) -> int:
    """Call `receiver` with `body`, which is JSON; returns the status code of its answer.

    Follows no redirect. Raises CallbackRefused if its name leads where no callback may go, Unanswered.
    """
    import httpx2  # late, as in receivers.py

    answer: list[int] = []
    try:
        async with asyncio.timeout(limit_s):
            await _post(receiver, await gate.addresses(receiver), body, answer)
    except TimeoutError:
        if not answer:
            raise Unanswered(f"no answer within {limit_s:g}s") from None
    except httpx2.TransportError as error:
        if not answer:  # what breaks off after the status code has said enough
            raise Unanswered(_words(error)) from None
    except OSError:
        raise Unanswered("its name cannot be looked up") from None
    return answer[0]


async def _post(receiver: Receiver, addresses: Sequence[Address], body: bytes, answer: list[int]) -> None:
    """Puts the status code into `answer` as soon as it is there. Raises httpx2.TransportError."""
    import httpx2

    refused: httpx2.ConnectError | None = None
    for address in addresses:
        try:
            await _post_to(receiver, address, body, answer)
        except httpx2.ConnectError as error:
            refused = error
        else:
            return
    if refused is not None:
        raise refused


async def _post_to(receiver: Receiver, address: Address, body: bytes, answer: list[int]) -> None:
    import httpx2

    # The client is given the address that was checked, not the name: it could lead elsewhere when looked up again.
    named = receiver.address is None
    request = httpx2.Request(
        "POST",
        receiver.url.copy_with(host=str(address)),
        headers=[
            (b"Host", receiver.url.netloc),
            (b"Content-Type", b"application/json"),
            (b"User-Agent", f"{AGENT}{__version__}".encode()),
        ],
        content=body,
        extensions={"sni_hostname": receiver.host} if named else {},
    )
    # A transport for each call, since its pool tells connections apart by address, and TLS by name. Without a client
    # around it there are no redirects, cookies, credentials of the URL, proxies, and no headers but these.
    context = _tls() if receiver.url.scheme == "https" else _no_tls()
    transport = httpx2.AsyncHTTPTransport(verify=context, trust_env=False)
    async with transport:
        response = await transport.handle_async_request(request)
        answer.append(response.status_code)
        try:
            await _read(response)
        finally:
            with contextlib.suppress(httpx2.TransportError):
                await response.aclose()


async def _read(response: httpx2.Response) -> None:
    left = MAX_ANSWER_BYTES
    async for chunk in response.aiter_raw():
        left -= len(chunk)
        if left <= 0:
            return


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


@lru_cache(maxsize=1)
def _no_tls() -> ssl.SSLContext:
    """For plain HTTP: a context is asked for, and reading the system's certificates takes a while."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _words(error: httpx2.TransportError) -> str:
    """What went wrong. The client's own words are not for showing: they may repeat parts of the URL."""
    import httpx2

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not accepted"
        if isinstance(cause, ssl.SSLError):
            return "no TLS connection comes about"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx2.ConnectError):
        return "nothing can be connected to there"
    if isinstance(error, httpx2.RemoteProtocolError):
        return "its answer is not HTTP, or breaks off"
    return "the connection broke off"
