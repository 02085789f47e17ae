"""What was ordered of a run after its submission."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from emulator.statuses import RunStatus


class Order(StrEnum):
    ABORT = "abort"
    STOP = "stop"
    COMPLETE = "complete"
    TRANSITION = "transition"


class Command(Struct, frozen=True):
    """An order and when it came. `to` and `detail` belong to a forced transition."""

    order: Order
    at_ms: int
    to: RunStatus | None = None
    detail: str | None = None
