"""From one submission of a GPU selection to its parent and the runs on the profiles."""

from __future__ import annotations

from msgspec.structs import replace

from emulator.runs.run import Run
from emulator.scenario.choice import Choice
from emulator.scenario.model import Scenario, Selection
from emulator.scenario.picking import pick
from emulator.scenario.script import resolve
from emulator.scenario.selection import child_scenario, parent_scenario, profiles_of, speed_on
from emulator.scenario.submission import Kind, Submission
from emulator.tenants.identity import digest, seed_of, uuid_of


def fan_out(
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
    """The parent, with a child for each profile; none where the code will not do.

    `earlier` counts the tenant's submissions that took `scenario` before. The children take what the scenario has for
    this submission, and draw from it by seeds of their own; their ids follow from the parent's.
    """
    whole, picked = pick(scenario, seed, earlier)
    problem = _problem(whole.selection or Selection(), submission)
    parent = Run(
        execution_id,
        seed,
        submission,
        resolve(parent_scenario(whole, problem), seed),
        choice,
        now_ms,
        warnings=warnings,
        picked=picked,
    )
    if problem is not None:
        return parent
    runs = (_child(parent, profile, scenario, earlier) for profile in profiles_of(whole))
    return replace(parent, children=tuple(runs))


def _problem(selection: Selection, submission: Submission) -> str | None:
    if selection.error is not None:
        return selection.error
    return submission.code_problem if selection.checks_code else None


def _child(parent: Run, profile: str, scenario: Scenario, earlier: int) -> Run:
    seed = seed_of(parent.seed, profile)
    whole, picked = pick(scenario, seed, earlier)
    return Run(
        uuid_of(parent.execution_id, profile),
        seed,
        replace(parent.submission, kind=Kind.PYTHON, hardware=profile),
        resolve(child_scenario(whole, profile), seed),
        parent.chosen_by,
        parent.submitted_ms,
        picked=picked,
        parent_id=parent.execution_id,
        speed=speed_on(whole, profile),
    )


def callback_token(server_seed: int, tenant_key: str, execution_id: str) -> str:
    """The token that the start call answers beside the id: opaque, and only the server can tell it from the id.

    Source: the guide promises one; what it opens is not documented. Nothing here takes it.
    """
    return f"cb_{digest(server_seed, tenant_key, execution_id, 'callback token').hex()[:48]}"
