"""Operations of the tag `environment`: variables that every later run gets, and whose values nobody sees again."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from emulator.errors import BadQuery
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.tenants.environment import EnvironmentVariable
from emulator.tenants.tenant import Tenant
from emulator.times import format_instant


def list_environment_variables(call: Call) -> Response:
    return json_response(_listed(call.tenant, call.tenant.environment.variables()))


def set_environment_variables(call: Call) -> Response:
    wanted = _wanted(call.body)
    call.cloud.settle(call.tenant)
    return json_response(_listed(call.tenant, call.tenant.environment.set(wanted, call.now_ms)))


def delete_environment_variable(call: Call) -> Response:
    variable = call.tenant.environment.delete(call.values["env_var_id"])
    return json_response({"id": variable.id, "message": "Environment variable deleted"})


def delete_all_environment_variables(call: Call) -> Response:
    deleted = call.tenant.environment.clear()
    return json_response({"deleted": deleted, "message": "Environment variables deleted"})


def _wanted(body: dict[str, Any] | list[dict[str, Any]]) -> dict[str, bool]:
    """By name, whether it is secret; the values stay behind. Raises BadQuery where a name comes twice.

    The documentation writes `key` and sends one variable or several, the official client writes `name` and always
    sends a list in `environment_variables`.
    """
    variables = body if isinstance(body, list) else body.get("environment_variables", [body])
    wanted: dict[str, bool] = {}
    for variable in variables:
        name: str = variable["name"] if "name" in variable else variable["key"]
        if name in wanted:
            raise BadQuery(f"Duplicate environment variable name: {name}")
        wanted[name] = variable.get("is_secret", True)
    return wanted


def _listed(tenant: Tenant, variables: list[EnvironmentVariable]) -> dict[str, Any]:
    return {"environment_variables": [_row(tenant, variable) for variable in variables]}


def _row(tenant: Tenant, variable: EnvironmentVariable) -> dict[str, Any]:
    return {
        "id": variable.id,
        "user_id": tenant.identity.user_id,
        "name": variable.name,
        "value": None,
        "is_secret": variable.is_secret,
        "created_at": format_instant(variable.created_ms),
        "updated_at": format_instant(variable.updated_ms),
    }
