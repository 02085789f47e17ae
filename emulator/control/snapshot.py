"""Control operations on the state as a whole."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from starlette.responses import Response

from emulator.contract.document import load_document
from emulator.contract.validation import SchemaValidator
from emulator.errors import Conflict
from emulator.resources import CONTROL_CONTRACT_FILE
from emulator.server.call import Call
from emulator.server.responses import JsonAnswer, json_response
from emulator.snapshot.state import restore_server, restore_tenant
from emulator.snapshot.writing import snapshot_of


def get_snapshot(call: Call) -> Response:
    return JsonAnswer(snapshot_of(call.cloud, None if call.caller is None else (call.caller,)).encoded())


def put_snapshot(call: Call) -> Response:
    """Restore the server, or with a token that tenant; what cannot be restored changes nothing."""
    from emulator.snapshot.reading import read_server, read_tenant  # late: brings the grammar of scenario files

    check_form(call.body)
    if call.caller is None:
        restore_server(call.cloud, read_server(call.body))
        tenants = list(call.cloud.tenants.values())
    else:
        restore_tenant(call.cloud, call.caller, read_tenant(call.body))
        tenants = [call.caller]
    for tenant in tenants:
        call.service.courier.watch(tenant)
    runs = sum(tenant.run_count for tenant in tenants)
    return json_response({"status": "ok", "runs_restored": runs, "tenants_restored": len(tenants)})


def check_form(document: Any) -> None:  # noqa: ANN401  any JSON
    """Raises Conflict with the first place where `document` is no snapshot."""
    for problem in _form().problems(document, ("snapshot",)):
        raise Conflict(str(problem))


@lru_cache(maxsize=1)
def _form() -> SchemaValidator:
    return SchemaValidator(load_document(CONTROL_CONTRACT_FILE), {"$ref": "#/components/schemas/Snapshot"})
