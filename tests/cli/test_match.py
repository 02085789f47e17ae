"""`scenario match`: which scenario a submission gets, and why not the others."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Scenario, Write

TIMELINE = "timeline: [{running: 5s}]\n"


@pytest.fixture
def own(write: Write) -> str:
    write("own/a-vision.yaml", TIMELINE + "match: {kind: python, labels: [vision*], metadata: {team: v*}}\n")
    write("own/b-python.yaml", TIMELINE + 'match: {file_name: "*.py"}\n')
    write("own/c-image.yaml", TIMELINE + 'match: {image: "pytorch/*", command: "*train*", hardware: h100}\n')
    write("own/d-code.yaml", TIMELINE + 'match: {code: "*import torch*", run_name: night*}\n')
    return "own"


def test_it_names_the_scenario_the_rule_and_every_failed_condition(scenario: Scenario, own: str) -> None:
    said = scenario("match", "--scenarios", own, "--file-name", "a.py", "--label", "vision-2")
    assert said == (
        0,
        "b-python  by match: its match holds for this submission: own/b-python.yaml\n"
        "\n"
        "Not chosen:\n"
        "  a-vision  own/a-vision.yaml\n"
        "    metadata.team: wants `v*`, found nothing\n"
        "  d-code  own/d-code.yaml\n"
        "    code: wants `*import torch*`, found ``\n"
        "    run_name: wants `night*`, found nothing\n"
        "  c-image  own/c-image.yaml\n"
        "    hardware: wants `h100`, found `gpu.l40s, l40s`\n"
        "    image: wants `pytorch/*`, found nothing\n"
        "    command: wants `*train*`, found nothing\n",
        "",
    )


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (["--label", "vision", "--metadata", "team=vv"], "a-vision"),
        (["--image", "pytorch/x", "--command", "python train.py", "--hardware", "gpu.h100"], "c-image"),
        (["--image", "pytorch/x", "--command", "python train.py", "--hardware", "h100"], "c-image"),
        (["--code", "import torch", "--run-name", "nightly"], "d-code"),
        (["--kind", "gpu_selection", "--code", "import torch", "--run-name", "nightly"], "d-code"),
        (["--kind", "compose"], "completed"),
        (["--metadata", "emulator.scenario=oom", "--file-name", "a.py"], "oom"),
    ],
)
def test_every_option_reaches_its_condition(scenario: Scenario, own: str, options: list[str], chosen: str) -> None:
    assert scenario("match", "--scenarios", own, "--json", *options).json()["scenario"] == chosen


def test_code_can_come_from_a_file(scenario: Scenario, own: str, write: Write) -> None:
    write("train.py", "import torch\n")
    options = ("--code", "@train.py", "--run-name", "nightly")
    assert scenario("match", "--scenarios", own, *options).out.startswith("d-code  by match")


def test_a_later_match_that_holds_too_is_said_to_come_too_late(scenario: Scenario, write: Write) -> None:
    for name in ("a", "b"):
        write(f"own/{name}.yaml", TIMELINE + 'match: {file_name: "*.py"}\n')
    assert scenario("match", "--scenarios", "own", "--file-name", "x.py").lines()[2:] == [
        "Not chosen:",
        "  b  own/b.yaml",
        "    its match holds, too, and a is asked first",
    ]


def test_a_name_in_the_submission_goes_before_every_match(scenario: Scenario, write: Write) -> None:
    write("own/a.yaml", TIMELINE + "match: {kind: python}\n")
    said = scenario("match", "--scenarios", "own", "--metadata", "emulator.scenario=silent")
    assert said.lines() == [
        "silent  by name: named by body.metadata.emulator.scenario",
        "",
        "Not chosen:",
        "  a  own/a.yaml",
        "    its match holds, too, and a name goes before every match",
    ]


def test_without_any_match_it_is_the_default_that_serve_was_given(scenario: Scenario) -> None:
    assert scenario("match", "--scenario", "silent") == (
        0,
        "silent  by default: no queue entry, name or match applies\n",
        "",
    )


def test_json_says_the_same(scenario: Scenario, write: Write) -> None:
    write("own/a.yaml", TIMELINE + "match: {kind: docker}\n")
    assert scenario("match", "--scenarios", "own", "--json").json() == {
        "scenario": "completed",
        "rule": "default",
        "detail": "no queue entry, name or match applies",
        "others": [
            {
                "scenario": "a",
                "source": "own/a.yaml",
                "holds": False,
                "failed": [{"condition": "kind", "expected": "docker", "found": "python"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--hardware", "h9000"], "Hardware profile 'h9000' is not available. Available: cpu, "),
        (["--metadata", "emulator.scenario=oomm"], "there is no scenario `oomm`: did you mean `oom`?"),
        (["--scenario", "complete"], "there is no scenario `complete`: did you mean `completed`"),
        (["--metadata", "team"], "'team' is not a pair such as team=vision"),
        (["--kind", "python", "--image", "x"], "--image is for docker runs, and this is a python run"),
        (["--kind", "gpu_selection", "--image", "x"], "--image is for docker runs, and this is a gpu_selection run"),
        (["--code", "x", "--command", "y"], "--code is for python runs, and this is a docker run"),
        (["--code", "@none.py"], "cannot read none.py: No such file or directory"),
        (["--kind", "podman"], "'podman' is not one of 'python', 'docker', 'compose', 'gpu_selection'"),
    ],
)
def test_a_submission_that_cannot_be_is_refused(scenario: Scenario, options: list[str], words: str) -> None:
    said = scenario("match", *options)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
