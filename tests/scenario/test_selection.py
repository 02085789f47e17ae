"""What `selection` makes of a scenario: its profiles, their speeds, the parent's part; with bases and alternatives."""

from __future__ import annotations

import pytest

from emulator.scenario.file.format import read_draft, read_scenario
from emulator.scenario.lineage import Candidate, Lineage
from emulator.scenario.lints import lint
from emulator.scenario.model import Scenario
from emulator.scenario.ranges import DurationRange
from emulator.scenario.script import resolve, stretches_of
from emulator.scenario.selection import child_scenario, parent_scenario, profiles_of, speed_on
from emulator.statuses import RunStatus

PLAIN = 'timeline: [{pending: 1s}, {starting: 2s}, {running: 12s}]\noutput: [{at: 6s, text: "x\\n"}]\n'


def read(text: str) -> Scenario:
    return read_scenario(text, name="mine", source="mine.yaml")


def running_ms(scenario: Scenario) -> int | None:
    return resolve(scenario, 0).running_ms


def test_a_scenario_without_the_key_is_for_every_listed_gpu() -> None:
    plain = read(PLAIN)
    profiles = profiles_of(plain)
    assert len(profiles) == 9
    assert "cpu" not in profiles
    assert {name: running_ms(child_scenario(plain, name)) for name in ("gpu.a100", "gpu.l40s", "gpu.h200")} == {
        "gpu.a100": 12_000,
        "gpu.l40s": 16_000,
        "gpu.h200": 4_800,
    }


def test_several_gpus_of_a_kind_are_as_fast_as_one() -> None:
    assert speed_on(read(PLAIN), "gpu.h100.4x") == speed_on(read(PLAIN), "gpu.h100") == 2.2


@pytest.mark.parametrize(
    ("own", "speed", "length_ms"),
    [
        ("{}", 2.2, 5_455),
        ("{speed: 3}", 3.0, 4_000),
        ("{timeline: [{running: 9s}]}", 1.0, 9_000),
        ("{timeline: [{running: 9s}], speed: 3}", 3.0, 3_000),
        ("{output: []}", 2.2, 5_455),
    ],
)
def test_a_profiles_speed_is_its_own_its_timelines_or_its_devices(own: str, speed: float, length_ms: int) -> None:
    scenario = read(f"{PLAIN}selection: {{profiles: {{h100: {own}}}}}")
    assert profiles_of(scenario) == ("gpu.h100",)
    assert (speed_on(scenario, "gpu.h100"), running_ms(child_scenario(scenario, "gpu.h100"))) == (speed, length_ms)


def test_a_profile_runs_on_its_own_hardware_whatever_the_scenario_shows_otherwise() -> None:
    scenario = read(f"hardware: gpu.t4\n{PLAIN}")
    assert child_scenario(scenario, "gpu.h100").hardware is None
    assert parent_scenario(scenario, None).hardware is None


def test_what_runs_on_a_profile_is_made_once_for_all_submissions() -> None:
    """Making it takes a millisecond, and every run would hold one of its own."""
    scenario = read(f"{PLAIN}selection: {{profiles: {{h100: {{}}, t4: {{}}}}}}")
    once = {profile: child_scenario(scenario, profile) for profile in profiles_of(scenario)}
    assert all(child_scenario(scenario, profile) is made for profile, made in once.items())
    assert once["gpu.h100"] != once["gpu.t4"]


def test_the_stretches_are_drawn_from_the_runs_seed() -> None:
    scenario = read(f"{PLAIN}selection: {{analysis: 2s, extraction: 1s..100s, processing: 0s}}")
    drawn = [stretches_of(resolve(scenario, seed)) for seed in range(20)]
    assert {(each.analysis_ms, each.processing_ms) for each in drawn} == {(2_000, 0)}
    assert len({each.extraction_ms for each in drawn}) == 20


def test_a_refused_parent_waits_as_scripted_looks_at_the_code_and_fails() -> None:
    scenario = read("timeline: [{pending: 5s}, {starting: until_stopped}]\nselection: {analysis: 7s}")
    parent = parent_scenario(scenario, "No model found")
    assert [(stage.status, stage.duration) for stage in parent.timeline] == [
        (RunStatus.PENDING, DurationRange(5_000, 5_000)),
        (RunStatus.STARTING, DurationRange(0, 0)),
        (RunStatus.RUNNING, DurationRange(7_000, 7_000)),
    ]
    assert parent.ending is not None
    assert (parent.ending.status, parent.ending.error) == (RunStatus.FAILED, "No model found")
    queued = parent_scenario(read("timeline: [{pending: until_stopped}]"), "x")
    assert [stage.status for stage in queued.timeline] == list(RunStatus)[:3]


def test_a_base_hands_its_selection_on_and_profiles_are_written_over_what_extends_it() -> None:
    base = read_draft(
        f"{PLAIN}selection: {{profiles: {{a100: {{timeout: ignore}}, h100: {{}}}}}}", name="base", source="base.yaml"
    )
    mine = read_draft("extends: base\ntimeline: [{running: 30s}]", name="mine", source="mine.yaml")
    scenario = Lineage([Candidate("mine", mine), Candidate("base", base)]).outcome(0).scenario
    assert scenario is not None
    assert profiles_of(scenario) == ("gpu.a100", "gpu.h100")
    assert running_ms(child_scenario(scenario, "gpu.a100")) == 30_000
    assert child_scenario(scenario, "gpu.a100").time_limit != child_scenario(scenario, "gpu.h100").time_limit


def test_an_alternative_may_bring_a_selection_of_its_own() -> None:
    text = (
        f"{PLAIN}selection: {{profiles: {{a100: {{}}}}}}\nvariants: [{{}}, {{selection: {{profiles: {{t4: {{}}}}}}}}]"
    )
    first, second = (variant.scenario for variant in read(text).variants)
    assert (profiles_of(first), profiles_of(second)) == (("gpu.a100",), ("gpu.t4",))


def test_oddities_are_told_of_a_profiles_keys_too() -> None:
    text = (
        "summary: x\n" + PLAIN + "selection:\n  profiles:\n    t4: {output: [{at: 1s, text: a}, {at: 2s, text: b}]}\n"
    )
    (found,) = lint(read(text))
    assert (found.rule, found.problem.path) == ("joined-text", "selection.profiles.t4.output[0].text")
    slow = "summary: x\ntimeline: [{running: 5s}]\nselection: {profiles: {t4: {timeline: [{running: 5m}]}}}\n"
    (found,) = lint(read(slow))
    assert (found.rule, found.problem.line) == ("no-timeout", 3)
