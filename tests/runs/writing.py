"""Runs that write what a test says."""

from msgspec.structs import replace

from emulator.runs.run import Run
from emulator.scenario.model import TimeLimit
from emulator.scenario.output import OutputEntry, OutputStream
from emulator.scenario.timeline import Ending
from emulator.statuses import RunStatus
from tests.strategies import T0, run_of, scenario_of

OUT, ERR = OutputStream.STDOUT, OutputStream.STDERR
RUNNING_MS = T0 + 44_000
END_MS = RUNNING_MS + 10_000
BOOM = Ending(RunStatus.FAILED, 1, "boom")


def line(at_ms: int, text: str, stream: OutputStream = OUT) -> OutputEntry:
    return OutputEntry((text,), stream, at_ms)


def writing(*output: OutputEntry, ending: Ending | None = None) -> Run:
    """A run that is submitted at T0, runs from RUNNING_MS and ends at END_MS."""
    scenario = scenario_of(running_ms=10_000, output=output, time_limit=TimeLimit.IGNORE)
    return run_of(scenario if ending is None else replace(scenario, ending=ending))
