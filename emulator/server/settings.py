"""What the person who starts the server can choose."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8642
MAX_BODY_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """How requests are treated.

    `api_keys`: the only keys that open a tenant (any well-formed one does, if None). `control_token`: what the
    control API asks for (nothing, if None). `strict`: request fields that the contract does not know are
    refused. `legacy_statuses`: the streaming status uses the words of older clients.
    """

    api_keys: frozenset[str] | None = None
    control_token: str | None = None
    strict: bool = False
    legacy_statuses: bool = False
    max_body_bytes: int = MAX_BODY_BYTES
