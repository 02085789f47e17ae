"""Which submissions a `match` holds for, and what keeps it from holding."""

from fnmatch import fnmatchcase
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.scenario.file.format import read_scenario
from emulator.scenario.matching import Difference, differences, nearest
from emulator.scenario.model import Match, Scenario
from emulator.scenario.submission import Kind, Submission

PYTHON = Submission(
    Kind.PYTHON,
    "gpu.h100",
    file_name="oom-1.py",
    run_name="nightly 7",
    labels=("nightly", "vision"),
    metadata={"team": "search"},
    code="import torch\nprint(1)\n",
)
DOCKER = Submission(Kind.DOCKER, "cpu", image="pytorch/pytorch:2.5", command=("python", "train.py", "--epochs", "3"))


@pytest.mark.parametrize(
    "match",
    [
        Match(),
        Match(kind="python"),
        Match(file_name="oom-*.py"),
        Match(file_name="oom-?.py"),
        Match(file_name="oom-[0-9].py"),
        Match(file_name="oom-[!a-z].py"),
        Match(code="*import torch*"),
        Match(run_name="nightly*"),
        Match(labels=("night*",)),
        Match(labels=("vis*", "nightly")),
        Match(metadata={"team": "s*"}),
        Match(hardware="gpu.h100"),
        Match(hardware="h100"),
        Match(hardware="*h100*"),
        Match(kind="python", file_name="*.py", labels=("vision",), hardware="gpu.*"),
    ],
)
def test_a_match_holds_when_every_condition_does(match: Match) -> None:
    assert differences(match, PYTHON) == ()


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(kind="docker"), [Difference("kind", "docker", "python")]),
        (Match(file_name="OOM-*.py"), [Difference("file_name", "OOM-*.py", "oom-1.py")]),
        (Match(file_name="oom"), [Difference("file_name", "oom", "oom-1.py")]),
        (Match(run_name="[!n]*"), [Difference("run_name", "[!n]*", "nightly 7")]),
        (Match(labels=("nightly", "audio")), [Difference("labels", "audio", "nightly, vision")]),
        (Match(metadata={"team": "ads", "x": "*"}), [
            Difference("metadata.team", "ads", "search"), Difference("metadata.x", "*", None)
        ]),
        (Match(hardware="a100"), [Difference("hardware", "a100", "gpu.h100, h100")]),
        (Match(image="*"), [Difference("image", "*", None)]),
        (Match(command="*"), [Difference("command", "*", None)]),
        (
            Match(kind="compose", file_name="*.py", code="x"),
            [Difference("kind", "compose", "python"), Difference("code", "x", "import torch\nprint(1)\n")],
        ),
    ],
)  # fmt: skip
def test_each_condition_that_fails_is_named_with_what_was_found(match: Match, expected: list[Difference]) -> None:
    assert differences(match, PYTHON) == tuple(expected)


def test_commands_match_as_one_line_and_images_whole() -> None:
    assert differences(Match(image="pytorch/*", command="python train.py *"), DOCKER) == ()
    assert differences(Match(command="python train.py"), DOCKER) == (
        Difference("command", "python train.py", "python train.py --epochs 3"),
    )


def test_long_values_are_shown_in_part() -> None:
    (difference,) = differences(Match(code="x"), replace(PYTHON, code="y" * 1000))
    assert difference.found == "y" * 79 + "…"
    assert str(Difference("code", "x", None)) == "code: wants `x`, found nothing"


def test_many_stars_take_no_time() -> None:
    start = perf_counter()
    assert differences(Match(code="*a" * 400 + "b"), replace(PYTHON, code="a" * 20_000)) != ()
    assert perf_counter() - start < 2


@given(st.text("ab*?[]!\n", max_size=6), st.text("ab*[\n", max_size=6))
def test_patterns_mean_what_a_shells_do(pattern: str, text: str) -> None:
    fits = not differences(Match(code=pattern), replace(PYTHON, code=text))
    assert fits == fnmatchcase(text, pattern)


def named(name: str, match: str | None) -> Scenario:
    head = "" if match is None else f"match: {match}\n"
    return read_scenario(f"{head}timeline: [{{running: 1s}}]", name=name, source=name)


def test_the_nearest_have_the_fewest_failed_conditions_then_the_most_that_hold() -> None:
    scenarios = [
        named("no-match", None),
        named("far", '{kind: docker, file_name: "x", run_name: "y"}'),
        named("one-of-one", "{kind: docker}"),
        named("one-of-three", '{kind: python, file_name: "*.py", run_name: "y"}'),
        named("matches", "{kind: python}"),
        named("two", '{kind: docker, file_name: "x"}'),
    ]
    asked = [(scenario.name, scenario.match) for scenario in scenarios]
    misses = nearest(asked, PYTHON)
    assert [miss.name for miss in misses] == ["one-of-three", "one-of-one", "two"]
    assert misses[0].differences == (Difference("run_name", "y", "nightly 7"),)
    assert [miss.name for miss in nearest(asked, PYTHON, 1)] == ["one-of-three"]
