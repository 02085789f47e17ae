"""Operations of the tag `billing`: what was run, and what it cost."""

from __future__ import annotations

from itertools import islice

from starlette.responses import Response

from emulator.runs.billing import MILLIONTHS
from emulator.server import wire
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.statuses import RunStatus


def get_billing_history(call: Call) -> Response:
    tenant, now_ms = call.tenant, call.now_ms
    limit, offset = call.values["limit"], call.values["offset"]
    page = islice(tenant.newest_first(), offset, min(offset + limit, tenant.run_count))
    account = tenant.account(now_ms)
    return json_response(
        {
            "executions": [wire.history_row(run, now_ms) for run in page],
            "total_executions": tenant.run_count,
            "total_credits_spent": account.millionths / MILLIONTHS,
            "limit": limit,
            "offset": offset,
            "counts_by_status": {status.value: count for status in RunStatus if (count := account.counts[status])},
        }
    )
