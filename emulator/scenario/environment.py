"""What becomes of a run whose scenario needs an environment variable that nobody set."""

from __future__ import annotations

from emulator.scenario.model import Scenario
from emulator.scenario.submission import Submission
from emulator.scenario.timeline import Ending
from emulator.statuses import RunStatus

MISSED_AFTER_MS = 250
"""So long into running does the code ask for its variables: about what Python takes to start. Inferred."""


def missing_variable(scenario: Scenario, submission: Submission) -> str | None:
    """The first name of the scenario's `needs_env` that the run was not given, or None if it has them all."""
    for name in scenario.needs_env:
        if name not in submission.environment:
            return name
    return None


def ending_without(name: str) -> Ending:
    """How a Python program ends that asks `os.environ` for a variable that is not there, and does not expect that."""
    return Ending(RunStatus.FAILED, return_code=1, error=f"KeyError: '{name}'")


def traceback_of(ending: Ending) -> str:
    """What that program leaves on stderr: the end of it is `ending`'s error."""
    frames = '  File "<string>", line 1, in <module>\n  File "<frozen os>", line 709, in __getitem__\n'
    return f"Traceback (most recent call last):\n{frames}{ending.error}\n"
