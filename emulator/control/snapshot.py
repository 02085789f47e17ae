"""Control operations on the state as a whole."""

from __future__ import annotations

from starlette.responses import Response

from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.snapshot.reading import read_server, read_tenant
from emulator.snapshot.state import restore_server, restore_tenant
from emulator.snapshot.writing import snapshot_of


def get_snapshot(call: Call) -> Response:
    return json_response(snapshot_of(call.cloud, None if call.caller is None else (call.caller,)))


def put_snapshot(call: Call) -> Response:
    """Restore the server, or with a token that tenant; what cannot be restored changes nothing."""
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
