"""Where a run's time went."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from emulator.runs.run import Run
from emulator.statuses import PENDING, RUNNING, STARTING


class Moments(Struct, frozen=True, gc=False):
    """The instants that a record names, in milliseconds; None where not reached yet (or never).

    `received_ms`: the execution node took the job (the start of `starting`). `started_ms` and `ended_ms`: user
    code. `finished_ms`: the terminal status. Source: the fields' use in public clients; that user code ends at
    the instant at which the run does is inferred.
    """

    created_ms: int
    received_ms: int | None
    started_ms: int | None
    ended_ms: int | None
    finished_ms: int | None


def moments(run: Run, now_ms: int) -> Moments:
    course = run.course
    end = course.ended_by(now_ms)
    received_ms = started_ms = None
    for stage in course.stages:
        if stage.starts_ms > now_ms:
            break
        if stage.status is STARTING:
            received_ms = stage.starts_ms
        elif stage.status is RUNNING:
            started_ms = stage.starts_ms
    return Moments(
        created_ms=run.submitted_ms,
        received_ms=received_ms,
        started_ms=started_ms,
        ended_ms=end.at_ms if end and started_ms is not None else None,
        finished_ms=end.at_ms if end else None,
    )


class PhaseName(StrEnum):
    """What a run spends its time on."""

    QUEUED = "queued"
    LAUNCHING_CONTAINER = "launching_container"
    EXECUTING_JOB = "executing_job"
    SHUTTING_DOWN = "shutting_down"


class TimingPhase(Struct, frozen=True, gc=False):
    """A stretch of a run's time, [starts_ms, ends_ms); no end while it goes on."""

    name: PhaseName
    starts_ms: int
    ends_ms: int | None


_PHASE_OF = {
    PENDING: PhaseName.QUEUED,
    STARTING: PhaseName.LAUNCHING_CONTAINER,
    RUNNING: PhaseName.EXECUTING_JOB,
}


def phases(run: Run, now_ms: int) -> list[TimingPhase]:
    """The phases entered up to `now_ms`, in order; together they span from submission to end (or now)."""
    stopping_ms = run.course.stopping_ms
    entered = []
    for stage in run.course.stages:
        if stage.starts_ms > now_ms:
            break
        ends_ms = stage.ends_ms if stage.ends_ms is not None and stage.ends_ms <= now_ms else None
        name = _PHASE_OF[stage.status]
        if stopping_ms is not None and stopping_ms <= now_ms and stage.status is RUNNING:
            entered.append(TimingPhase(name, stage.starts_ms, stopping_ms))
            entered.append(TimingPhase(PhaseName.SHUTTING_DOWN, stopping_ms, ends_ms))
        else:
            entered.append(TimingPhase(name, stage.starts_ms, ends_ms))
    return entered
