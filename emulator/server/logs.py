"""Operations of the tag `logs`."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from starlette.responses import Response

from emulator.server import wire
from emulator.server.call import Call
from emulator.server.responses import json_response

_HOUR_MS = 3_600_000


def get_execution_logs(call: Call) -> Response:
    run = call.tenant.get(call.execution_id)
    return _page(call, wire.log_entries(call.tenant, run, call.now_ms, _since_ms(call)))


def get_user_logs(call: Call) -> Response:
    since_ms = _since_ms(call)
    entries = [
        entry
        for run in call.tenant.newest_first()
        if not (end := run.course.ended_by(call.now_ms)) or end.at_ms >= since_ms
        for entry in wire.log_entries(call.tenant, run, call.now_ms, since_ms)
    ]
    entries.sort(key=itemgetter("timestamp"))  # stable: lines of one run stay in their order
    return _page(call, entries)


def _since_ms(call: Call) -> int:
    return call.now_ms - int(call.values["hours"]) * _HOUR_MS


def _page(call: Call, entries: list[dict[str, Any]]) -> Response:
    """Oldest first; where there are too many, the newest are kept. `total` counts all of the time asked for."""
    return json_response({"logs": entries[-call.values["limit"] :], "total": len(entries)})
