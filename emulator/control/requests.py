"""Control operations on the journal."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.responses import Response

from emulator.contract.document import load_document
from emulator.contract.operations import operations
from emulator.errors import NotFound
from emulator.resources import CONTRACT_FILE
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.tenants.cloud import Cloud
from emulator.tenants.journal import Exchange
from emulator.texts import writable
from emulator.times import format_instant

MASK = "***"


def list_requests(call: Call) -> Response:
    """What the emulated API was asked, and the callbacks that it made, newest first."""
    found = list(_wanted(call))
    page = islice(found, call.values["limit"])
    return json_response({"requests": [request_view(call.cloud, each) for each in page], "total": len(found)})


def _wanted(call: Call) -> Iterator[Exchange]:
    caller = None if call.caller is None else call.caller.key
    status, operation_ids = call.values["status"], _operation_ids(call.values["operation_id"])
    execution_id, broken = call.values["execution_id"], call.values["violations"]
    callbacks = call.values["callbacks"]
    for exchange in call.cloud.journal.newest_first(caller):
        if operation_ids is not None and (
            exchange.operation is None or exchange.operation.operation_id not in operation_ids
        ):
            continue
        if status is not None and exchange.status_code != status:
            continue
        if callbacks is not None and callbacks != exchange.callback:
            continue
        if execution_id is not None and exchange.execution_id != execution_id:
            continue
        if broken is None or broken == bool(exchange.problems):
            yield exchange


def _operation_ids(pattern: str | None) -> frozenset[str] | None:
    """The operations that a name or shell-style pattern means; None for all.

    Raises NotFound where there are none: a test that asks for a name with a slip in it must not find nothing.
    """
    if pattern is None:
        return None
    known = operations(load_document(CONTRACT_FILE))
    found = frozenset(name for name in known if fnmatchcase(name, pattern))
    if not found:
        from difflib import get_close_matches  # late: only mistakes need it

        near = get_close_matches(pattern[:100], known, n=1, cutoff=0)
        raise NotFound(f"the contract has no operation `{pattern[:100]}`; the nearest is `{near[0]}`")
    return found


def clear_requests(call: Call) -> Response:
    caller = None if call.caller is None else call.caller.key
    return json_response({"status": "ok", "requests_removed": call.cloud.journal.clear(caller)})


def request_view(cloud: Cloud, exchange: Exchange) -> dict[str, Any]:
    """One request and what became of it."""
    operation = exchange.operation
    return {
        "number": exchange.number,
        "callback": exchange.callback,
        "method": exchange.method,
        "path": exchange.path,
        "operation_id": operation and operation.operation_id,
        "execution_id": exchange.execution_id and writable(exchange.execution_id),
        "org": cloud.slug_of(exchange.caller) if exchange.caller else None,
        "query": _query_view(exchange),
        "body": orjson.loads(exchange.body) if exchange.body else None,
        "body_bytes": exchange.body_bytes,
        "status_code": exchange.status_code or None,
        "detail": exchange.refusal and writable(exchange.refusal),
        "duration_ms": exchange.duration_us / 1000,
        "at": None if exchange.at_ms is None else format_instant(exchange.at_ms),
        "received_at": format_instant(exchange.received_ms),
        "violations": [writable(violation) for violation in exchange.violations],
        "warnings": [writable(warning) for warning in exchange.warnings],
        "fault": exchange.fault,
    }


def _query_view(exchange: Exchange) -> dict[str, list[str]]:
    """The query by name. What the contract does not know is masked: keys have been sent in queries before."""
    known = exchange.operation.query_names if exchange.operation else frozenset()
    shown: dict[str, list[str]] = {}
    for name, value in parse_qsl(exchange.query, keep_blank_values=True):
        shown.setdefault(name[:200], []).append(value[:200] if name in known else MASK)
    return shown
