"""What the person who starts the server can choose."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8642
MAX_BODY_BYTES = 16 << 20


class LogFormat(StrEnum):
    """How requests are logged: for people, or a JSON object a line."""

    TEXT = "text"
    JSON = "json"


class CallbackSettings(Struct, frozen=True):
    """How callbacks are made; all times are wall time.

    `hosts`: shell-style patterns of the hosts that they may go to beside loopback. `retries_s`: how long after a
    failure the next attempt comes, each in turn. `limit_s`: for one attempt as a whole. `advance_s`: how long an
    advance of the clock waits for what it made fall due. `grace_s`: for what is under way when the server stops.
    """

    hosts: tuple[str, ...] = ()
    retries_s: tuple[float, ...] = (1.0, 2.0, 4.0)
    limit_s: float = 10.0
    advance_s: float = 30.0
    grace_s: float = 2.0


class ConnectionSettings(Struct, frozen=True):
    """What a client may take before it is answered; all times are wall time.

    `head_bytes`: for the request line and all headers. `head_s`: from the connection, or the answer before, until they
    are complete. `body_s`: from then on until the body is complete. `idle_s`: how long a connection is kept after an
    answer. `files`: how many open files, and so connections, the process asks the system for.
    """

    head_bytes: int = 64 << 10
    head_s: float = 20.0
    body_s: float = 120.0
    idle_s: float = 5.0
    files: int = 8_192


class Settings(Struct, frozen=True):
    """How requests are treated.

    `api_keys`: the only keys that open a tenant (any well-formed one does, if None). `control_token`: what the
    control API asks for (nothing, if None). `strict`: request fields that the contract does not know are
    refused. `legacy_statuses`: the streaming status uses the words of older clients. `callbacks`, `connections`:
    see there. `self_check`: every answer is held against the contract.
    """

    api_keys: frozenset[str] | None = None
    control_token: str | None = None
    strict: bool = False
    legacy_statuses: bool = False
    self_check: bool = False
    max_body_bytes: int = MAX_BODY_BYTES
    callbacks: CallbackSettings = field(default_factory=CallbackSettings)
    connections: ConnectionSettings = field(default_factory=ConnectionSettings)
