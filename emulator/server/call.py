"""One call of an operation, as its handler sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from msgspec import Struct
from starlette.responses import Response
from starlette.types import Scope

from emulator.errors import ContractError
from emulator.server.reading import Headers
from emulator.server.service import Service
from emulator.tenants.cloud import Cloud
from emulator.tenants.journal import Exchange
from emulator.tenants.tenant import Tenant


class Call(Struct, frozen=True):
    """A request that is admitted and well formed.

    `caller` is the tenant of its token, None where none was sent and none is needed. `now_ms` is the time that
    the whole answer is about. `values` are its parameters by name (a date-time is in milliseconds), `body` what its
    JSON says, or its text where that may be YAML. `exchange` is what the journal will tell about it. `scope` and
    `headers` are the request's, as ASGI has them and by their names in small letters.
    """

    service: Service
    scope: Scope
    headers: Headers
    caller: Tenant | None
    now_ms: int
    values: dict[str, Any]
    body: Any
    exchange: Exchange

    @property
    def cloud(self) -> Cloud:
        return self.service.cloud

    @property
    def tenant(self) -> Tenant:
        """The caller, for the operations that need a token."""
        if self.caller is None:
            raise ContractError("the contract lets an operation that acts on a tenant be called without a token")
        return self.caller

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def execution_id(self) -> str:
        return str(self.values["execution_id"])


Handler: TypeAlias = Callable[[Call], Response | Awaitable[Response]]
