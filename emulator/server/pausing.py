"""Waiting on the real clock, for as long as somebody waits for the answer."""

from __future__ import annotations

import asyncio

from starlette.types import Receive

from emulator.server.connection import gone
from emulator.server.service import Service


async def pause(service: Service, seconds: float) -> None:
    """Wait so long, or until the server stops."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not service.closing and (left_s := deadline - loop.time()) > 0:
        await service.cloud.clock.bell.wait(left_s)


async def pause_while_heard(service: Service, seconds: float, receive: Receive) -> None:
    """The same, or until the client goes away. Takes what is left of the request."""
    waiting, leaving = asyncio.ensure_future(pause(service, seconds)), asyncio.ensure_future(gone(receive))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiting, leaving):
            task.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)
