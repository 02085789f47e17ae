"""Operations of the tag `billing`: what was run, and what it cost."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from starlette.responses import Response

from emulator.runs.billing import billed_usd
from emulator.server import wire
from emulator.server.call import Call
from emulator.server.responses import json_response


def get_billing_history(call: Call) -> Response:
    tenant, now_ms = call.tenant, call.now_ms
    limit, offset = call.values["limit"], call.values["offset"]
    page = islice(tenant.newest_first(), offset, min(offset + limit, tenant.run_count))
    spent, counts = 0.0, Counter[str]()
    for run in tenant.newest_first():
        spent += billed_usd(run, now_ms)
        counts[run.course.status_at(now_ms).value] += 1
    return json_response(
        {
            "executions": [wire.history_row(run, now_ms) for run in page],
            "total_executions": tenant.run_count,
            "total_credits_spent": round(spent, 6),
            "limit": limit,
            "offset": offset,
            "counts_by_status": counts,
        }
    )
