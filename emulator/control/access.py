"""Who may use the control API."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from emulator.contract.operations import Operation
from emulator.errors import Unauthorized
from emulator.server.access import Access, bearer_token
from emulator.server.post import AGENT
from emulator.server.reading import Headers
from emulator.server.service import Service
from emulator.tenants.tenant import Tenant

CONTROL_HEADER = "X-Emulator-Token"


class ControlAccess:
    """The door of the control API. With a bearer token a call acts on its tenant, without one on the server."""

    def __init__(self, service: Service, access: Access) -> None:
        self._service = service
        self._access = access

    def admit(self, headers: Headers, operation: Operation, _method: str) -> Tenant | None:
        if not operation.security:
            return None
        if headers.get("user-agent", "").startswith(AGENT):
            # By a way round that the courier cannot see, such as a forwarded port, or of another emulator.
            raise Unauthorized("The control API takes no callbacks")
        # A page that somebody merely visits can send requests here without being let to read the answers.
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            raise Unauthorized("The control API is not open to pages of other sites")
        wanted = self._service.settings.control_token
        if wanted is not None:
            given = headers.get(CONTROL_HEADER.lower(), "")
            if not secrets.compare_digest(given.encode(), wanted.encode()):
                raise Unauthorized(f"This emulator wants its control token in the header {CONTROL_HEADER}")
        token = bearer_token(headers)
        return None if token is None else self._access.tenant(token)

    def caller_key(self, _headers: Headers) -> str:
        return ""  # what the control API is asked is not in the journal

    def now_ms(self, tenant: Tenant | None, method: str) -> int:
        return (tenant or self._service.cloud).clock.now_ms()
