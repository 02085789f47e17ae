"""What a submitted compose file does to its run: one that cannot be read fails it, whatever the scenario says."""

from __future__ import annotations

from types import MappingProxyType

from msgspec.structs import replace

from emulator.scenario.model import Scenario
from emulator.scenario.ranges import DurationRange
from emulator.scenario.submission import Submission
from emulator.scenario.timeline import Ending, StageSpec
from emulator.statuses import RunStatus


def compose_error(text: str) -> str | None:
    """Why `text` is no compose file, in one line, or None if it can be one. Reads it within bounds."""
    from emulator.documents import COMPOSE, MappingNode, read_document  # late: brings YAML, which few runs need

    document = read_document(text, COMPOSE)
    for problem in document.problems:
        return f"docker-compose.yml: line {problem.line}, column {problem.column}: {problem.message}"
    if not isinstance(document.root, MappingNode):
        return "docker-compose.yml: top-level object must be a mapping"
    return None


def with_compose_file(scenario: Scenario, submission: Submission) -> Scenario:
    """`scenario` itself, or what becomes of it where the submission's compose file cannot be read.

    The start call takes any text, so the run starts and then fails before any service of it runs. Inferred.
    """
    error = None if submission.compose is None else compose_error(submission.compose)
    if error is None:
        return scenario
    starting = StageSpec(RunStatus.STARTING, DurationRange(0, 0))
    for stage in scenario.timeline:
        if stage.status is RunStatus.STARTING:
            starting = _ending(stage)
    return replace(
        scenario,
        digest=f"{scenario.digest} without its compose file",
        timeline=(*(_ending(stage) for stage in scenario.timeline if stage.status is RunStatus.PENDING), starting),
        ending=Ending(RunStatus.FAILED, return_code=1, error=error),
        output=(),
        metrics=(),
        series=MappingProxyType({}),
    )


def _ending(stage: StageSpec) -> StageSpec:
    """`stage`, which ends at once where it would last until somebody stops the run."""
    return stage if stage.duration is not None else replace(stage, duration=DurationRange(0, 0))
