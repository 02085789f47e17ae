"""What a scenario means for a GPU selection: the scenarios of its parent and of the run on each profile."""

from __future__ import annotations

from types import MappingProxyType

from msgspec.structs import replace

from emulator.hardware.profiles import PROFILES, find_profile, listed_profiles
from emulator.scenario.metrics import MetricPhase, ShapeName
from emulator.scenario.model import Scenario, Selection, TimeLimit
from emulator.scenario.ranges import DurationRange
from emulator.scenario.scaling import scaled
from emulator.scenario.timeline import Ending, StageSpec
from emulator.statuses import RunStatus

PARENT_HARDWARE = "cpu"
"""Where the parent itself works. Inferred: its start call names no hardware."""


def profiles_of(scenario: Scenario) -> tuple[str, ...]:
    """The full names of the profiles to try: the scenario's in its order, else all GPU profiles that are listed."""
    selection = scenario.selection or Selection()
    if selection.profiles is not None:
        return tuple(selection.profiles)
    return tuple(profile.name for profile in listed_profiles() if profile.device is not None)


def speed_on(scenario: Scenario, profile: str) -> float:
    """How many times as fast as its timeline says the code runs on `profile`.

    The scenario's figure, else the device's beside an A100 SXM4 80GB, for which timelines are taken to hold.
    """
    plans = (scenario.selection or Selection()).profiles or {}
    plan = plans.get(profile)
    if plan is not None and plan.speed is not None:
        return plan.speed
    known = find_profile(profile)
    return 1.0 if known is None or known.device is None else known.device.relative_speed


def child_scenario(scenario: Scenario, profile: str) -> Scenario:
    """What the run on `profile` does: the scenario with what the profile says otherwise, at its speed.

    Made once for `scenario`, since every submission takes it to the same profiles.
    """
    made = scenario.on_profiles.get(profile)
    if made is None:
        made = scenario.on_profiles[profile] = _child_scenario(scenario, profile)
    return made


def _child_scenario(scenario: Scenario, profile: str) -> Scenario:
    plans = (scenario.selection or Selection()).profiles or {}
    plan = plans.get(profile)
    own = scenario if plan is None or plan.scenario is None else plan.scenario
    return scaled(replace(own, hardware=None), speed_on(scenario, profile))


def parent_scenario(scenario: Scenario, problem: str | None) -> Scenario:
    """What the parent itself does: it prints nothing, and time limit and environment are for the runs on the profiles.

    With a `problem` it has no such runs, and fails with that once it has looked at the code. Inferred.
    """
    quiet = replace(
        scenario,
        digest=f"{scenario.digest} as parent{'' if problem is None else f', {problem}'}",
        output=(),
        metrics=(MetricPhase("selection", ShapeName.CONTEXT),),
        series=MappingProxyType({}),
        time_limit=TimeLimit.IGNORE,
        needs_env=(),
        hardware=None,
    )
    if problem is None:
        return quiet
    waiting = [replace(stage, duration=stage.duration or _NO_TIME) for stage in scenario.timeline if _waits(stage)]
    analysis = (scenario.selection or Selection()).analysis
    missing = [StageSpec(RunStatus.STARTING, _NO_TIME)] if len(waiting) == 1 else []
    return replace(
        quiet,
        timeline=(*waiting, *missing, StageSpec(RunStatus.RUNNING, analysis)),
        ending=Ending(RunStatus.FAILED, return_code=1, error=problem),
    )


_NO_TIME = DurationRange(0, 0)


def _waits(stage: StageSpec) -> bool:
    return stage.status is not RunStatus.RUNNING


def gpu_profile_names() -> tuple[str, ...]:
    """The profiles that a scenario may name, without those that only differ in their count of GPUs."""
    return tuple(name for name, profile in PROFILES.items() if profile.device is not None)
