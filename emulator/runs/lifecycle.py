"""A run's way through its statuses: the script, cut or bent by time limit and commands."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from emulator.runs.command import Command, Order
from emulator.scenario.environment import MISSED_AFTER_MS, ending_without, missing_variable
from emulator.scenario.model import TimeLimit
from emulator.scenario.script import Script
from emulator.scenario.submission import Submission
from emulator.scenario.timeline import Ending
from emulator.statuses import FOLLOWERS, PENDING, RUNNING, RunStatus

GRACEFUL_TIMEOUT_S = 10
"""Seconds between a stop and the kill where the submission names none. Source: the official client's help."""

COMPLETED = Ending(RunStatus.COMPLETED, return_code=0)
CANCELLED = Ending(RunStatus.CANCELLED, return_code=143)
ABORTED = Ending(RunStatus.ABORTED, return_code=137)
TIMED_OUT = Ending(RunStatus.FAILED, return_code=124)

ENDINGS = {
    RunStatus.COMPLETED: COMPLETED,
    RunStatus.FAILED: Ending(RunStatus.FAILED, return_code=1),
    RunStatus.SYSTEM_FAILURE: Ending(RunStatus.SYSTEM_FAILURE),
    RunStatus.CANCELLED: CANCELLED,
    RunStatus.ABORTED: ABORTED,
}
"""The plain ending of each terminal status. The return codes are inferred: those that a shell gives a process
that ended so (128 + SIGTERM, 128 + SIGKILL, and 124 from `timeout`)."""


class Cause(StrEnum):
    """What brought a run to its end."""

    SCRIPT = "script"
    TIME_LIMIT = "time_limit"
    MISSING_VARIABLE = "missing_variable"
    ABORT = "abort"
    STOP = "stop"
    COMPLETE = "complete"
    TRANSITION = "transition"


class Stage(Struct, frozen=True, gc=False):
    """A stretch of a run with one status, [starts_ms, ends_ms) since the epoch; no end means it never ends."""

    status: RunStatus
    starts_ms: int
    ends_ms: int | None


class End(Struct, frozen=True, gc=False):
    """A run's end: when, how, and why."""

    at_ms: int
    ending: Ending
    cause: Cause


class Course(Struct, frozen=True, gc=False):
    """All stages that a run passes and its end, as far as they are fixed by what is known now.

    `stopping_ms` is when a stop asked it to shut down, if one did while it was running.
    """

    stages: tuple[Stage, ...]
    end: End | None
    stopping_ms: int | None = None

    def stage(self, status: RunStatus) -> Stage | None:
        """The stage with `status`, or None if the run never gets there."""
        for stage in self.stages:
            if stage.status is status:
                return stage
        return None

    def started_ms(self, status: RunStatus) -> int | None:
        stage = self.stage(status)
        return None if stage is None else stage.starts_ms

    def reached_ms(self, status: RunStatus) -> int | None:
        """When the run takes `status`, terminal ones included, or None if it never does."""
        if self.end is not None and self.end.ending.status is status:
            return self.end.at_ms
        return self.started_ms(status)

    def status_at(self, now_ms: int) -> RunStatus:
        """The status at `now_ms`; before its submission a run counts as pending."""
        end = self.end
        if end is not None and end.at_ms <= now_ms:
            return end.ending.status
        status = PENDING
        for stage in self.stages:
            if stage.starts_ms > now_ms:
                break
            status = stage.status
        return status

    def ended_by(self, now_ms: int) -> End | None:
        """The end, once it is reached."""
        end = self.end
        return end if end is not None and end.at_ms <= now_ms else None

    def transitions(self, now_ms: int) -> list[tuple[RunStatus, int]]:
        """Every status taken up to `now_ms`, with its instant, oldest first."""
        taken = [(stage.status, stage.starts_ms) for stage in self.stages if stage.starts_ms <= now_ms]
        if end := self.ended_by(now_ms):
            taken.append((end.ending.status, end.at_ms))
        return taken


class _Next(Struct, frozen=True, gc=False):
    """The begin of another stage."""

    at_ms: int
    status: RunStatus


_Move: TypeAlias = _Next | End
"""What ends a stage."""


def course_of(script: Script, submission: Submission, submitted_ms: int, commands: tuple[Command, ...]) -> Course:
    """The course that `script` takes under `commands` (oldest first).

    Commands that come when the run is over, and transitions that the lifecycle forbids, change nothing.
    A command at the very instant at which a stage ends finds it ended.
    """
    stages: list[Stage] = []
    waiting = deque(commands)
    status, starts_ms = script.stages[0].status, submitted_ms
    stopping_ms: int | None = None
    while True:
        move = _move_by_itself(script, submission, status, starts_ms, stopping_ms)
        if waiting and (move is None or waiting[0].at_ms < move.at_ms):
            command = waiting.popleft()
            if command.order is Order.STOP and status is RUNNING:
                stopping_ms = command.at_ms if stopping_ms is None else stopping_ms
                continue
            move = _move_by_command(command, status)
            if move is None:
                continue
        stages.append(Stage(status, starts_ms, None if move is None else move.at_ms))
        if move is None:
            return Course(tuple(stages), None, stopping_ms)
        if isinstance(move, End):
            return Course(tuple(stages), move, stopping_ms)
        status, starts_ms = move.status, move.at_ms


def _move_by_itself(
    script: Script, submission: Submission, status: RunStatus, starts_ms: int, stopping_ms: int | None
) -> _Move | None:
    """What ends the present stage if no command does: the earliest of script, shutdown, lack of a variable and time
    limit.
    """
    move = _scripted_move(script, status, starts_ms)
    if status is not RUNNING:
        return move  # the rest is about code, or a stop of it
    # Of one instant, the first counts: an end scripted for the time limit's instant wins.
    if stopping_ms is not None:
        graceful_s = submission.graceful_timeout_s
        graceful_s = GRACEFUL_TIMEOUT_S if graceful_s is None else graceful_s
        at_ms = stopping_ms + min(script.shutdown_ms, graceful_s * 1000)
        if move is None or at_ms < move.at_ms:
            move = End(at_ms, stopped(script), Cause.STOP)
    missing = missing_variable(script.scenario, submission)
    if missing is not None:
        at_ms = starts_ms + MISSED_AFTER_MS
        if move is None or at_ms < move.at_ms:
            move = End(at_ms, ending_without(missing), Cause.MISSING_VARIABLE)
    if script.scenario.time_limit is TimeLimit.ENFORCE:
        at_ms = starts_ms + submission.timeout_s * 1000
        if move is None or at_ms < move.at_ms:
            move = End(at_ms, TIMED_OUT, Cause.TIME_LIMIT)
    return move


def _scripted_move(script: Script, status: RunStatus, starts_ms: int) -> _Move | None:
    duration_ms = None  # a stage that the script never reaches (it was forced) lasts until somebody ends it
    for stage in script.stages:
        if duration_ms is not None:
            return _Next(starts_ms + duration_ms, stage.status)
        if stage.status is status:
            duration_ms = stage.duration_ms
    if duration_ms is None or script.ending is None:
        return None
    return End(starts_ms + duration_ms, script.ending, Cause.SCRIPT)


def _move_by_command(command: Command, status: RunStatus) -> _Move | None:
    """The move that `command` asks for, or None if the lifecycle forbids it. A stop of a running run is no move."""
    match command.order:
        case Order.ABORT:
            ending, cause = ABORTED, Cause.ABORT
        case Order.STOP:
            ending, cause = CANCELLED, Cause.STOP
        case Order.COMPLETE:
            ending, cause = COMPLETED, Cause.COMPLETE
        case Order.TRANSITION:
            if command.to is None or command.to not in FOLLOWERS[status]:
                return None
            if not command.to.is_terminal:
                return _Next(command.at_ms, command.to)
            ending = replace(ENDINGS[command.to], error=command.detail)
            cause = Cause.TRANSITION
    return End(command.at_ms, ending, cause)


def stopped(script: Script) -> Ending:
    """How a graceful stop of a running run ends it. The documentation says both; the scenario may choose."""
    return ENDINGS[script.scenario.stop_status]
