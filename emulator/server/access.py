"""Who may use the emulated API: bearer tokens and organisations."""

from __future__ import annotations

import re

from emulator.contract.operations import Operation
from emulator.errors import Forbidden, StartError, Unauthorized
from emulator.server.reading import Headers
from emulator.server.service import Service
from emulator.tenants.identity import key_of
from emulator.tenants.tenant import Tenant

# An API key as the service makes it (`lk_` and a secret); how long the secret is at least is our rule.
_API_KEY = re.compile(r"lk_[!-~]{8,512}")
_FORM = "an API key begins with `lk_` and has at least 8 more characters"
_ORG_HEADER = "x-org-slug"


class Access:
    """The door of the emulated API."""

    def __init__(self, service: Service) -> None:
        """Raises StartError where a configured key could never be sent."""
        self._service = service
        for key in service.settings.api_keys or ():
            if not _is_api_key(key):
                raise StartError(f"{_FORM}; one that is given does not")

    def admit(self, headers: Headers, operation: Operation, method: str) -> Tenant | None:
        token = bearer_token(headers)
        if token is None:
            if operation.token_required:
                raise Unauthorized("Not authenticated: send 'Authorization: Bearer lk_...'")
            return None
        tenant = self.tenant(token)
        slug = headers.get(_ORG_HEADER)
        if slug is not None and slug != tenant.identity.slug:
            self.now_ms(tenant, method)  # a refused request steps its tenant's clock, too
            raise Forbidden(f"You are not a member of this organisation; your organisation is {tenant.identity.slug}")
        return tenant

    def tenant(self, token: str) -> Tenant:
        """The tenant that `token` opens. Raises Unauthorized."""
        if not self._opens(token):
            why = "this emulator takes only those of --api-key" if _is_api_key(token) else _FORM
            raise Unauthorized(f"Invalid API key: {why}")  # the first words are in clients' tests, the rest is ours
        return self._service.cloud.tenant(token)

    def _opens(self, token: str) -> bool:
        admitted = self._service.settings.api_keys
        return _is_api_key(token) and (admitted is None or token in admitted)

    def caller_key(self, headers: Headers) -> str:
        try:
            token = bearer_token(headers)
        except Unauthorized:
            return ""
        return key_of(token) if token is not None and self._opens(token) else ""

    def now_ms(self, tenant: Tenant | None, method: str) -> int:
        if tenant is None:
            return self._service.cloud.clock.now_ms()
        return tenant.clock.now_ms() if method == "HEAD" else tenant.clock.observe()


def _is_api_key(token: str) -> bool:
    return _API_KEY.fullmatch(token) is not None


def bearer_token(headers: Headers) -> str | None:
    """The token of the Authorization header, or None without one. Raises Unauthorized if it is malformed."""
    header = headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("The Authorization header must be 'Bearer <token>'")
    return token.strip()
