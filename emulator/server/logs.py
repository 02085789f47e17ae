"""Operations of the tag `logs`."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from itertools import islice, repeat
from operator import itemgetter

from starlette.responses import Response

from emulator.runs.output import Log
from emulator.runs.run import Run
from emulator.server import wire
from emulator.server.call import Call
from emulator.server.responses import json_response

_HOUR_MS = 3_600_000


def get_execution_logs(call: Call) -> Response:
    return _page(call, [call.tenant.get(call.execution_id)])


def get_user_logs(call: Call) -> Response:
    since_ms = _since_ms(call)
    runs = [
        run
        for run in call.tenant.newest_first()
        if not (end := run.course.ended_by(call.now_ms)) or end.at_ms >= since_ms
    ]
    return _page(call, runs)


def _since_ms(call: Call) -> int:
    return call.now_ms - int(call.values["hours"]) * _HOUR_MS


def _page(call: Call, runs: Sequence[Run]) -> Response:
    """Oldest first; where there are too many, the newest are kept. `total` counts all of the time asked for.

    `runs` come newest first. Only the lines that are kept are rendered.
    """
    since_ms = _since_ms(call)
    logs = [Log(run, call.now_ms, since_ms) for run in runs]
    kept = _newest(logs, call.values["limit"])
    parts = (
        [(line.at_ms, runs[place], line) for line in logs[place].last(kept[place])]
        for place in sorted(kept, reverse=True)
    )
    lines = heapq.merge(*parts, key=itemgetter(0))
    entries = [wire.log_entry(call.tenant, run, line) for _, run, line in lines]
    return json_response({"logs": entries, "total": sum(map(len, logs))})


def _newest(logs: Sequence[Log], limit: int) -> Counter[int]:
    """How many of the last lines of each log, by its place, are among the `limit` newest of all.

    Of one instant, the lines of a log are newer than those of the logs after it.
    """
    latest = ((at_ms, place) for place, log in enumerate(logs) if (at_ms := next(log.instants(), None)) is not None)
    # The others have none of them: the last line of each of these is newer than any of theirs.
    likely = sorted(place for _, place in heapq.nlargest(limit, latest, key=itemgetter(0)))
    instants = heapq.merge(
        *(zip(logs[place].instants(), repeat(place)) for place in likely), key=itemgetter(0), reverse=True
    )
    return Counter(place for _, place in islice(instants, limit))
