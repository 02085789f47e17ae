"""Operations of the tag `stream`: a run's output as server-sent events, from its start to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

from starlette.responses import Response, StreamingResponse

from emulator.errors import NotFound
from emulator.runs.failure import system_error
from emulator.runs.lifecycle import End
from emulator.runs.output import next_piece_ms, written
from emulator.runs.run import Run
from emulator.server.call import Call
from emulator.server.service import Service
from emulator.statuses import RunStatus
from emulator.tenants.tenant import NO_SUCH_RUN, Tenant

KEEP_ALIVE_S = 15.0
_CHUNK_EVENTS = 500
"""So many events at most go to the socket at once: a reader that stalls then holds little memory."""

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_MEDIA_TYPE = "text/event-stream"


def stream_output(call: Call) -> Response:
    # The id is the capability: the official client sends no token here. One that is sent must own the run.
    owner = call.caller or call.cloud.owner_of(call.execution_id)
    run = None if owner is None else owner.find(call.execution_id)
    if owner is None or run is None:
        raise NotFound(NO_SUCH_RUN)
    if call.method == "HEAD":
        return Response(headers=_HEADERS, media_type=_MEDIA_TYPE)
    return StreamingResponse(events(call.service, owner, run), headers=_HEADERS, media_type=_MEDIA_TYPE)


async def events(service: Service, tenant: Tenant, run: Run) -> AsyncGenerator[bytes, None]:
    """All events of a run: those of the past at once, the rest as the tenant's clock reaches them."""
    sent, resets = 0, tenant.resets
    # Whatever happens while a chunk is on its way is seen by looking anew after each.
    while not service.closing and tenant.resets == resets:
        now_ms = tenant.clock.now_ms()
        run = tenant.find(run.execution_id) or run  # who follows a run that was deleted still gets the rest
        if pieces := written(run, now_ms, skip=sent, limit=_CHUNK_EVENTS):
            sent += len(pieces)
            yield b"".join(_event({"output": {"content": piece.text}}) for piece in pieces)
            await asyncio.sleep(0)  # let others have their turn: a reader that is fast enough never waits
        elif end := run.course.ended_by(now_ms):
            yield _event(_finish(run, end))
            return
        elif not await tenant.clock.wait_until(_next_event_ms(run, now_ms), at_most_s=KEEP_ALIVE_S):
            yield b": keep-alive\n\n"


def _next_event_ms(run: Run, now_ms: int) -> int | None:
    """When there will be something to send, as far as that is fixed; None if only a command can bring it about."""
    due = [] if run.course.end is None else [run.course.end.at_ms]
    if (piece_ms := next_piece_ms(run, now_ms)) is not None:
        due.append(piece_ms)
    return min(due, default=None)


def _finish(run: Run, end: End) -> dict[str, object]:
    """The last event. Clients take an `error` for a problem of the platform, so a plain failure has none."""
    result: dict[str, object] = {"returnCode": end.ending.return_code}
    if end.ending.status is RunStatus.SYSTEM_FAILURE:
        result = {"returnCode": 1, "error": system_error(run, end)}
    return {"jobFinished": {"job": {"result": result}}}


def _event(event: object) -> bytes:
    # Clients cut lines at every Unicode line break, so whatever is not ASCII has to be escaped.
    return f"data: {json.dumps(event)}\n\n".encode("ascii")
