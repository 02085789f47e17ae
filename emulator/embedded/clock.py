"""A tenant's clock, as a test moves it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from anyio.to_thread import run_sync

from emulator.embedded.durations import Duration, duration_text, instant_text

if TYPE_CHECKING:
    from emulator.embedded.lyceum import Lyceum

__tracebackhide__ = True

Until: TypeAlias = Literal[
    "pending",
    "starting",
    "running",
    "completed",
    "failed",
    "system_failure",
    "cancelled",
    "aborted",
    "terminal",
]
"""A status of a run, or `terminal`: any in which it is over."""


class TenantClock:
    """The clock that a tenant's runs live by. Every move answers the new now.

    A move returns once everything that fell due by it was done: each callback was attempted once, or half a minute
    of wall time has passed. Raises ControlRefused where time would go back, or will not lead there.
    """

    def __init__(self, owner: Lyceum) -> None:
        self._owner = owner

    @property
    def now(self) -> datetime:
        return _instant(self.view())

    @property
    def mode(self) -> str:
        """`manual`, `per_request` or `real`."""
        return str(self.view()["mode"])

    def view(self) -> dict[str, Any]:
        """The clock as the control API shows it."""
        shown: dict[str, Any] = self._owner.control("GET", "/clock")
        return shown

    def advance(self, by: Duration) -> datetime:
        """Move on: `advance("5m")`."""
        return self._advance({"by": duration_text(by)})

    def to(self, instant: datetime | str) -> datetime:
        """Move to an instant: one with a time zone, or its RFC 3339 text."""
        return self._advance({"to": instant_text(instant)})

    def until(self, execution_id: str, status: Until = "terminal") -> datetime:
        """Move to the instant at which a run takes `status`: `until(execution_id, "running")`."""
        return self._advance({"execution_id": execution_id, "until": status})

    async def advance_async(self, by: Duration) -> datetime:
        """`advance`, while the event loop goes on: for callbacks whose receiver runs in it."""
        return await run_sync(partial(self.advance, by))

    async def to_async(self, instant: datetime | str) -> datetime:
        return await run_sync(partial(self.to, instant))

    async def until_async(self, execution_id: str, status: Until = "terminal") -> datetime:
        return await run_sync(partial(self.until, execution_id, status))

    def manual(self) -> None:
        """Stand still from now on, until moved."""
        self._set(mode="manual")

    def per_request(self, step: Duration = "5s") -> None:
        """From now on each request moves it by `step`: a client that polls makes progress without sleeping."""
        self._set(mode="per_request", step=duration_text(step))

    def real(self, speed: float = 1.0) -> None:
        """Run by itself from now on, `speed` times as fast as the wall's."""
        self._set(mode="real", speed=speed)

    def _set(self, **change: object) -> None:
        self._owner.control("PATCH", "/clock", change)

    def _advance(self, wish: dict[str, str]) -> datetime:
        return _instant(self._owner.control("POST", "/clock/advance", wish))


def _instant(view: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(view["now"])
