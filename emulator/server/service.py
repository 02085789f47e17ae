"""What every call of one server shares."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.server.settings import Settings
from emulator.tenants.cloud import Cloud


@dataclass(slots=True)
class Service:
    """One server's state and settings. `closing` says that streams are to end."""

    cloud: Cloud
    settings: Settings
    closing: bool = False

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self.closing = True
        self.cloud.clock.bell.ring()
