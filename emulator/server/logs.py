"""Operations of the tag `logs`."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from operator import itemgetter

from starlette.responses import Response

from emulator.runs.output import LogLine, log_lines
from emulator.runs.run import Run
from emulator.server import wire
from emulator.server.call import Call
from emulator.server.responses import json_response

_HOUR_MS = 3_600_000


def get_execution_logs(call: Call) -> Response:
    run = call.tenant.get(call.execution_id)
    return _page(call, _lines(call, run))


def get_user_logs(call: Call) -> Response:
    since_ms = _since_ms(call)
    runs = [
        run
        for run in call.tenant.newest_first()
        if not (end := run.course.ended_by(call.now_ms)) or end.at_ms >= since_ms
    ]
    return _page(call, heapq.merge(*(_lines(call, run) for run in reversed(runs)), key=itemgetter(0)))


def _lines(call: Call, run: Run) -> Iterator[tuple[int, Run, LogLine]]:
    """The lines of a run that are young enough, oldest first, each with its instant and its run."""
    since_ms = _since_ms(call)
    return ((line.at_ms, run, line) for line in log_lines(run, call.now_ms) if line.at_ms >= since_ms)


def _since_ms(call: Call) -> int:
    return call.now_ms - int(call.values["hours"]) * _HOUR_MS


def _page(call: Call, lines: Iterable[tuple[int, Run, LogLine]]) -> Response:
    """Oldest first; where there are too many, the newest are kept. `total` counts all of the time asked for."""
    newest: deque[tuple[Run, LogLine]] = deque(maxlen=call.values["limit"])
    total = 0
    for _, run, line in lines:
        total += 1
        newest.append((run, line))
    entries = [wire.log_entry(call.tenant, run, line) for run, line in newest]
    return json_response({"logs": entries, "total": total})
