"""A run as a stored value: everything that does not follow from the time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from emulator.runs.command import Command
from emulator.runs.lifecycle import Course, course_of
from emulator.scenario.choice import Choice
from emulator.scenario.picking import NOTHING, Pick
from emulator.scenario.script import Script
from emulator.scenario.submission import Submission


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run; a command gives a new value, nothing is ever edited.

    `chosen_by` says in words why this scenario, `picked` which of its alternatives; `warnings` are the parts of the
    request that the contract does not know. `course` follows from the rest and is kept because every question
    needs it.
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
    course: Course = field(init=False)

    def __post_init__(self) -> None:
        course = course_of(self.script, self.submission, self.submitted_ms, self.commands)
        object.__setattr__(self, "course", course)

    @property
    def hardware(self) -> str:
        """The profile of the machine that the run gets: the scenario's, or the one asked for."""
        return self.script.scenario.hardware or self.submission.hardware

    def with_command(self, command: Command) -> Run:
        """The same run with one more command, which counts as given no earlier than the last one."""
        if self.commands and command.at_ms < self.commands[-1].at_ms:  # two requests may overtake each other
            command = replace(command, at_ms=self.commands[-1].at_ms)
        return replace(self, commands=(*self.commands, command))
