"""A run as a stored value: everything that does not follow from the time."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from emulator.runs.command import Command
from emulator.runs.lifecycle import Course, course_of
from emulator.runs.parent import handed_down, parent_course
from emulator.scenario.choice import Choice
from emulator.scenario.picking import NOTHING, Pick
from emulator.scenario.script import Script, stretches_of
from emulator.scenario.submission import Submission

_NOT_YET = Course((), None)


# Nothing that a run holds holds the run, so the collector need not look at it, nor at its parts (`gc=False`): they are
# most of what a server keeps.
class Run(Struct, frozen=True, eq=False, gc=False):
    """One run; a command gives a new value, nothing is ever edited.

    `chosen_by` says in words why this scenario, `picked` which of its alternatives; `warnings` are the parts of the
    request that the contract does not know. `course` follows from the rest and is kept because every question
    needs it.

    A GPU selection is a parent with `children`, one run for each profile, all submitted with it. A child names its
    parent, and the `speed` at which its scenario was taken.
    """

    execution_id: str
    seed: int
    submission: Submission
    script: Script
    chosen_by: Choice
    submitted_ms: int
    commands: tuple[Command, ...] = ()
    warnings: tuple[str, ...] = ()
    picked: Pick = NOTHING
    parent_id: str | None = None
    speed: float = 1.0
    children: tuple[Run, ...] = ()
    course: Course = _NOT_YET

    def __post_init__(self) -> None:
        if self.children:
            course = parent_course(self.children, stretches_of(self.script), self.submitted_ms, self.commands)
        else:
            course = course_of(self.script, self.submission, self.submitted_ms, self.commands)
        force_setattr(self, "course", course)

    @property
    def hardware(self) -> str:
        """The profile of the machine that the run gets: the scenario's, or the one asked for."""
        return self.script.scenario.hardware or self.submission.hardware

    def with_command(self, command: Command) -> Run:
        """The same run with one more command, which counts as given no earlier than the last one.

        A parent's command reaches each of its children that is active.
        """
        given = [each.at_ms for run in (self, *self.children) for each in run.commands]
        command = replace(command, at_ms=max([command.at_ms, *given]))  # two requests may overtake each other
        children = tuple(child.with_commands(handed_down(command, child)) for child in self.children)
        return replace(self, commands=(*self.commands, command), children=children)

    def with_commands(self, commands: Iterable[Command]) -> Run:
        """The same run with these commands, in their order."""
        run = self
        for command in commands:
            run = run.with_command(command)
        return run

    def with_child(self, changed: Run) -> Run:
        """The same parent with a newer value of one of its children."""
        children = (changed if child.execution_id == changed.execution_id else child for child in self.children)
        return replace(self, children=tuple(children))
