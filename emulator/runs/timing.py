"""Where a run's time went."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from emulator.runs.run import Run
from emulator.statuses import RunStatus


class Moments(Struct, frozen=True):
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
    def reached(status: RunStatus) -> int | None:
        at_ms = run.course.started_ms(status)
        return at_ms if at_ms is not None and at_ms <= now_ms else None

    end = run.course.ended_by(now_ms)
    started_ms = reached(RunStatus.RUNNING)
    return Moments(
        created_ms=run.submitted_ms,
        received_ms=reached(RunStatus.STARTING),
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


class TimingPhase(Struct, frozen=True):
    """A stretch of a run's time, [starts_ms, ends_ms); no end while it goes on."""

    name: PhaseName
    starts_ms: int
    ends_ms: int | None


_PHASE_OF = {
    RunStatus.PENDING: PhaseName.QUEUED,
    RunStatus.STARTING: PhaseName.LAUNCHING_CONTAINER,
    RunStatus.RUNNING: PhaseName.EXECUTING_JOB,
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
        if stage.status is RunStatus.RUNNING and stopping_ms is not None and stopping_ms <= now_ms:
            entered.append(TimingPhase(name, stage.starts_ms, stopping_ms))
            entered.append(TimingPhase(PhaseName.SHUTTING_DOWN, stopping_ms, ends_ms))
        else:
            entered.append(TimingPhase(name, stage.starts_ms, ends_ms))
    return entered
