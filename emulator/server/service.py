"""What every call of one server shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from starlette.responses import Response

from emulator.server.courier import Courier
from emulator.server.self_check import SelfCheck
from emulator.server.settings import Settings
from emulator.tenants.cloud import Cloud
from emulator.tenants.journal import Exchange

Observer: TypeAlias = Callable[[Exchange, Response], None]


class Service:
    """One server's state and settings. `closing` says that streams are to end.

    `observers` are told of every request once its answer is made, before it is sent. What one of them raises is raised
    after that: it costs nobody an answer.
    """

    def __init__(self, cloud: Cloud, settings: Settings) -> None:
        self.cloud = cloud
        self.settings = settings
        self.closing = False
        self.courier = Courier(settings.callbacks, cloud.journal)
        self.self_check = SelfCheck() if settings.self_check else None
        self.observers: list[Observer] = [] if self.self_check is None else [self.self_check]

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self.closing = True
        self.cloud.clock.bell.ring()
