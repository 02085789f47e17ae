"""What was ordered of a run after its submission."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from emulator.statuses import RunStatus


class Order(StrEnum):
    ABORT = "abort"
    STOP = "stop"
    COMPLETE = "complete"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Command:
    """An order and when it came. `to` and `detail` belong to a forced transition."""

    order: Order
    at_ms: int
    to: RunStatus | None = None
    detail: str | None = None
