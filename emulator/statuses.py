"""The service's words for where a run stands, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """A run's status as the service spells it. Source: Lyceum docs, "Lifecycle"."""

    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SYSTEM_FAILURE = "system_failure"
    CANCELLED = "cancelled"
    ABORTED = "aborted"

    @property
    def is_terminal(self) -> bool:
        return self not in ACTIVE


ACTIVE = (RunStatus.PENDING, RunStatus.STARTING, RunStatus.RUNNING)
"""In the order in which every run passes them."""

PENDING, STARTING, RUNNING = ACTIVE
"""For what every question about a run asks: before Python 3.12 a member is slow to find by its enum."""

TERMINAL = tuple(status for status in RunStatus if status not in ACTIVE)

# Every active status may be aborted, cancelled, or cut short by an infrastructure problem. User code can
# fail or finish only where it exists: it completes while running, and fails from starting on (an image that
# cannot be pulled, a compose file that cannot be read). Inferred: the documentation draws the main line only.
_INTERRUPTIONS = frozenset({RunStatus.SYSTEM_FAILURE, RunStatus.CANCELLED, RunStatus.ABORTED})
FOLLOWERS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.PENDING: frozenset({RunStatus.STARTING}) | _INTERRUPTIONS,
    RunStatus.STARTING: frozenset({RunStatus.RUNNING, RunStatus.FAILED}) | _INTERRUPTIONS,
    RunStatus.RUNNING: frozenset({RunStatus.COMPLETED, RunStatus.FAILED}) | _INTERRUPTIONS,
} | {status: frozenset() for status in TERMINAL}
"""The statuses that may directly follow each status by itself or by force. The call that marks a run completed goes
beyond it: it ends any active run."""
