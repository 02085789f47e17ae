"""What every call of one server shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.responses import Response

from emulator.server.courier import Courier
from emulator.server.self_check import SelfCheck
from emulator.server.settings import Settings
from emulator.tenants.cloud import Cloud
from emulator.tenants.journal import Exchange

Observer: TypeAlias = Callable[[Exchange, Response], None]


@dataclass(slots=True)
class Service:
    """One server's state and settings. `closing` says that streams are to end.

    `observers` are told of every request once its answer is made, before it is sent.
    """

    cloud: Cloud
    settings: Settings
    closing: bool = False
    observers: list[Observer] = field(default_factory=list)
    self_check: SelfCheck | None = None

    courier: Courier = field(init=False)

    def __post_init__(self) -> None:
        self.courier = Courier(self.settings.callbacks, self.cloud.journal)
        if self.settings.self_check:
            self.self_check = SelfCheck()
            self.observers.append(self.self_check)

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self.closing = True
        self.cloud.clock.bell.ring()
