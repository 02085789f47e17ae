"""The course of a parent: what follows for it from the runs that it started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from emulator.runs.command import Command, Order
from emulator.runs.lifecycle import ABORTED, CANCELLED, COMPLETED, ENDINGS, Cause, Course, End, Stage
from emulator.scenario.script import Stretches
from emulator.scenario.timeline import Ending
from emulator.statuses import ACTIVE, FOLLOWERS, RunStatus

if TYPE_CHECKING:
    from emulator.runs.run import Run

_CAUSES = {
    Order.ABORT: Cause.ABORT,
    Order.COMPLETE: Cause.COMPLETE,
    Order.TRANSITION: Cause.TRANSITION,
}


def parent_course(
    children: Sequence[Run], stretches: Stretches, submitted_ms: int, commands: tuple[Command, ...]
) -> Course:
    """The stages and the end of a parent with these children (one at least). All of it is inferred.

    It starts with the first child that does, runs from the first one's running on, and ends once the last one is
    over and the results are processed; its own analysis and extraction go on beside the children. Its ending is
    the best that a child came to. A command that ends it does so at once; its children were given it, too.
    """
    starting_ms = _earliest(children, RunStatus.STARTING)
    running_ms = _earliest(children, RunStatus.RUNNING)
    end = _end_of(children, stretches, running_ms)
    decisive = next((command for command in commands if _ends_all(command)), None)
    if decisive is not None and (end is None or decisive.at_ms <= end.at_ms):
        end = End(decisive.at_ms, _ordered_ending(decisive), _CAUSES[decisive.order])
    marks = [(RunStatus.PENDING, submitted_ms)]
    marks += [(RunStatus.STARTING, starting_ms)] if starting_ms is not None else []
    marks += [(RunStatus.RUNNING, running_ms)] if running_ms is not None else []
    until = [at_ms for _, at_ms in marks[1:]] + [None if end is None else end.at_ms]
    stages = tuple(Stage(status, at_ms, ends_ms) for (status, at_ms), ends_ms in zip(marks, until, strict=True))
    return Course(stages, end, _stopping_ms(commands, running_ms, end))


def _earliest(children: Sequence[Run], status: RunStatus) -> int | None:
    started = (child.course.started_ms(status) for child in children)
    return min((at_ms for at_ms in started if at_ms is not None), default=None)


def _end_of(children: Sequence[Run], stretches: Stretches, running_ms: int | None) -> End | None:
    """The end to which the children bring their parent; None while one of them has none."""
    ends = [child.course.end for child in children if child.course.end is not None]
    if len(ends) < len(children):
        return None
    at_ms = max(end.at_ms for end in ends)
    if running_ms is not None:
        at_ms = max(at_ms, running_ms + stretches.analysis_ms + stretches.extraction_ms) + stretches.processing_ms
    return End(at_ms, _best_ending(children, ends), Cause.SCRIPT)


def succeeded(end: End) -> bool:
    """Whether a child did all of its work; one that was stopped completed without it."""
    return end.ending.status is RunStatus.COMPLETED and end.cause is not Cause.STOP


def _best_ending(children: Sequence[Run], ends: Sequence[End]) -> Ending:
    if any(succeeded(end) for end in ends):
        return COMPLETED
    for status, words in ((RunStatus.FAILED, "failed"), (RunStatus.SYSTEM_FAILURE, "was lost")):
        for child, end in zip(children, ends, strict=True):
            if end.ending.status is status:
                why = f": {end.ending.error}" if end.ending.error else ""
                return replace(ENDINGS[status], error=f"no profile succeeded; {child.hardware} {words}{why}")
    return ABORTED if any(end.ending.status is RunStatus.ABORTED for end in ends) else CANCELLED


def _ends_all(command: Command) -> bool:
    """Whether it ends a parent by itself. A stop does not: it waits for the children to shut down."""
    if command.order is Order.TRANSITION:
        return command.to is not None and command.to.is_terminal
    return command.order is not Order.STOP


def _ordered_ending(command: Command) -> Ending:
    if command.order is Order.TRANSITION and command.to is not None:
        return replace(ENDINGS[command.to], error=command.detail)
    return ABORTED if command.order is Order.ABORT else COMPLETED


def _stopping_ms(commands: tuple[Command, ...], running_ms: int | None, end: End | None) -> int | None:
    """When a stop found the parent running."""
    for command in commands:
        if command.order is Order.STOP and running_ms is not None and command.at_ms >= running_ms:
            return command.at_ms if end is None or command.at_ms < end.at_ms else None
    return None


def handed_down(command: Command, child: Run) -> Iterator[Command]:
    """What `command`, given to a parent, orders of one of its children that is active.

    A forced status is reached step by step where the lifecycle allows it; a child that may not end as its parent
    was told to (one that is pending cannot fail) is aborted.
    """
    status = child.course.status_at(command.at_ms)
    if status.is_terminal:
        return
    if command.order is not Order.TRANSITION or command.to is None:
        yield command
    elif command.to in ACTIVE:
        for step in ACTIVE[ACTIVE.index(status) + 1 : ACTIVE.index(command.to) + 1]:
            yield replace(command, to=step)
    elif command.to in FOLLOWERS[status]:
        yield command
    else:
        yield Command(Order.ABORT, command.at_ms)
