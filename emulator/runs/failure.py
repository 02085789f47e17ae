"""What went wrong with a run, in the words that the service shows."""

from __future__ import annotations

from emulator.runs.lifecycle import Cause, End
from emulator.runs.run import Run
from emulator.scenario.submission import Kind
from emulator.statuses import RunStatus


def system_error(run: Run, end: End) -> str | None:
    """Why the platform ended the run: its time limit or a problem of its own; None where user code ended it."""
    if end.cause is Cause.TIME_LIMIT:
        return f"Execution exceeded its time limit of {run.submission.timeout_s} seconds and was terminated."
    if refused(run) and end.cause is Cause.SCRIPT:
        return end.ending.error
    if end.ending.status is RunStatus.SYSTEM_FAILURE:
        return end.ending.error or "The execution was lost to an infrastructure problem."
    return None


def refused(run: Run) -> bool:
    """Whether it is a GPU selection that never tries a profile, since its code will not do."""
    return not run.children and run.submission.kind is Kind.GPU_SELECTION


def user_error(end: End) -> str | None:
    """What the user's own code failed with, if the scenario says."""
    ending = end.ending
    return ending.error if ending.error is not None and ending.status is RunStatus.FAILED else None
