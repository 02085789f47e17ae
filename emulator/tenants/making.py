"""From a submission and its scenario to a run: the one way, whether it is new or comes out of a snapshot."""

from __future__ import annotations

from emulator.runs.run import Run
from emulator.scenario.choice import Choice, as_chosen
from emulator.scenario.compose import with_compose_file
from emulator.scenario.model import Scenario
from emulator.scenario.picking import pick
from emulator.scenario.script import resolve
from emulator.scenario.submission import Kind, Submission
from emulator.tenants.fan_out import fan_out


def make_run(
    execution_id: str,
    seed: int,
    submission: Submission,
    scenario: Scenario,
    choice: Choice,
    now_ms: int,
    *,
    earlier: int,
    warnings: tuple[str, ...],
) -> Run:
    """The run of a submission that gets `scenario`; the same inputs make the same run.

    `earlier` counts the tenant's submissions that took `scenario` before. A GPU selection has its runs on the profiles
    as children.
    """
    scenario = as_chosen(scenario, choice, submission)
    if submission.kind is Kind.GPU_SELECTION:
        return fan_out(execution_id, seed, submission, scenario, choice, now_ms, earlier=earlier, warnings=warnings)
    scenario, picked = pick(scenario, seed, earlier)
    script = resolve(with_compose_file(scenario, submission), seed)
    return Run(execution_id, seed, submission, script, choice, now_ms, warnings=warnings, picked=picked)
