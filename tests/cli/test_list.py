"""`scenario list`, `scenario show` and `scenario schema`."""

from __future__ import annotations

import json

import pytest

from emulator.cli.views import as_yaml, resolved
from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.file.format import read_scenario
from emulator.scenario.library import Library
from tests.cli.conftest import Scenario, Write

MINE = """\
summary: Mine.
match: {file_name: "m*.py"}
timeline: [{starting: 10s..20s}, {running: 1m}, {failed: {return_code: 3}}]
"""
FLAKY = """\
extends: mine
variants:
  - {weight: 3}
  - {weight: 1, name: lost, timeline: [{running: 9s}, system_failure]}
"""


def test_the_list_has_own_scenarios_first_and_the_built_in_ones_after_them(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE)
    said = scenario("list", "--scenarios", "own")
    first, second, third, *rest = (line.split() for line in said.lines())
    assert first == ["NAME", "LASTS", "ENDS", "SUMMARY", "SOURCE"]
    assert second == ["mine", "1m10s..1m20s", "failed", "(3)", "Mine.", "own/mine.yaml"]
    assert third[0] == min(path.stem for path in SCENARIO_DIRECTORY.glob("*.yaml"))
    assert ("notebook", "until_stopped") in {tuple(line[:2]) for line in rest}
    assert said.code == 0


def test_a_narrow_terminal_gets_the_summary_whole(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE)
    said = scenario("list", "--scenarios", "own", COLUMNS="80")
    assert said.lines()[0].split() == ["NAME", "SUMMARY", "SOURCE"]
    assert max(map(len, said.lines())) <= 80


def test_the_directories_can_come_from_the_variable_of_serve(scenario: Scenario, write: Write) -> None:
    directory = write("own/mine.yaml", MINE).parent
    names = [
        row["name"] for row in scenario("list", "--json", LYCEUM_EMULATOR_SCENARIOS=str(directory)).json()["scenarios"]
    ]
    assert names[0] == "mine"


def test_json_lists_every_way_in_which_runs_may_differ(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE)
    write("own/flaky.yaml", FLAKY)
    flaky, mine, *_ = scenario("list", "--scenarios", "own", "--json").json()["scenarios"]
    assert flaky == {
        "name": "flaky",
        "summary": "Flaky.",
        "source": "own/flaky.yaml",
        "extends": ["mine"],
        "lasts": ["1m10s..1m20s", "9s"],
        "ends": ["failed (3)", "system_failure"],
        "match": None,
    }
    assert mine["match"] == {"file_name": "m*.py"}


def test_an_invalid_file_ends_the_list_with_its_place(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", "timeline:\n  - running: 5\n")
    said = scenario("list", "--scenarios", "own")
    assert said == (
        2,
        "",
        "lyceum-emulator: own/mine.yaml:2:14: timeline[0].running: `5` has no unit: write `5s` or `5m`\n",
    )


def test_each_problem_of_several_files_is_told_with_its_place_in_a_line_of_its_own(
    scenario: Scenario, write: Write
) -> None:
    write("own/mine.yaml", "timeline:\n  - running: 5\nsed: 7\n")
    write("own/other.yaml", "extends: mine\n")
    assert scenario("list", "--scenarios", "own").err.splitlines() == [
        "lyceum-emulator: own/mine.yaml:2:14: timeline[0].running: `5` has no unit: write `5s` or `5m`",
        "lyceum-emulator: own/mine.yaml:3:1: there is no key `sed` here: did you mean `seed`?",
        "lyceum-emulator: own/other.yaml:1:10: extends: `mine` has mistakes of its own: mend those first",
    ]


def test_each_directory_that_cannot_be_read_is_told(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE)
    said = scenario("list", "--scenarios", "nowhere", "--scenarios", "own", "--scenarios", "own/mine.yaml")
    assert said.err.splitlines() == [
        "lyceum-emulator: cannot read the scenarios in nowhere: No such file or directory",
        "lyceum-emulator: own/mine.yaml is a file: scenarios are read from directories",
    ]


def test_a_directory_that_cannot_be_read_is_one_sentence(scenario: Scenario) -> None:
    assert scenario("list", "--scenarios", "nowhere") == (
        2,
        "",
        "lyceum-emulator: cannot read the scenarios in nowhere: No such file or directory\n",
    )


def test_show_prints_the_text_and_as_comments_what_it_leaves_unsaid(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE)
    assert scenario("show", "mine", "--scenarios", "own") == (
        0,
        MINE
        + """
# mine (own/mine.yaml). Not said above, and so:
#   timeout: enforce  # default
#   metrics:  # default
#     - {phase: train, shape: train-llm}
#   metrics_from: running  # default
#   stop_status: completed  # default
#   shutdown: 0s  # default
#   seed: each run's own  # default
#   hardware: the one submitted for  # default
#   selection: all listed GPU profiles, as fast as they are  # default
""",
        "",
    )


def test_show_says_what_is_taken_over_and_from_where(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE)
    write("own/flaky.yaml", FLAKY)
    lines = scenario("show", "flaky", "--scenarios", "own").lines()
    start = lines.index("#   timeline:  # from mine")
    assert lines[start + 1 : start + 5] == [
        "#     - {pending: 0s}",
        "#     - {starting: 10s..20s}",
        "#     - {running: 1m}",
        "#     - {failed: {return_code: 3}}",
    ]
    assert "#   summary: Flaky.  # default" in lines


def test_what_show_prints_is_a_scenario_file(scenario: Scenario) -> None:
    printed = scenario("show", "oom").out
    shown = read_scenario(printed, name="oom", source="printed")
    assert resolved(shown) == resolved(Library.load(built_in=SCENARIO_DIRECTORY).get("oom"))


def test_show_takes_a_file_that_extends_its_neighbour(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE)
    file = write("own/flaky.yaml", FLAKY)
    shown = scenario("show", file, "--json").json()
    assert shown["text"] == FLAKY
    assert shown["resolved"]["timeline"][-1] == {"failed": {"return_code": 3}}
    assert shown["resolved"]["variants"] == [
        {"weight": 3},
        {
            "weight": 1,
            "name": "lost",
            "timeline": [{"pending": "0s"}, {"starting": "0s"}, {"running": "9s"}, "system_failure"],
        },
    ]


@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIO_DIRECTORY.glob("*.yaml")))
def test_the_resolved_file_says_the_same_as_the_scenario(scenario: Scenario, name: str) -> None:
    given = Library.load(built_in=SCENARIO_DIRECTORY).get(name)
    read = read_scenario(scenario("show", name, "--resolved").out, name=name, source="printed")
    plain = ("summary", "timeline", "ending", "output", "time_limit", "stop_status", "shutdown", "series")
    for part in (*plain, "shapes", "metrics_from", "telemetry"):
        assert getattr(read, part) == getattr(given, part), part
    assert resolved(read) == resolved(given)


def test_a_resolved_sequence_with_variants_reads_back(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE)
    write(
        "own/retry.yaml",
        "extends: mine\nafter_sequence: restart\nsequence:\n"
        "  - {name: first, seed: 7, timeline: [{running: 2s}, failed]}\n"
        "  - variants: [{weight: 2, name: a}, {shutdown: 3s}]\n  - {}\n",
    )
    printed = scenario("show", "retry", "--scenarios", "own", "--resolved").out
    given = Library.load([write("own/x.txt", "").parent], built_in=SCENARIO_DIRECTORY).get("retry")
    read = read_scenario(printed, name="retry", source="printed")
    assert [entry.timeline for entry in read.sequence] == [entry.timeline for entry in given.sequence]
    assert [variant.weight for variant in read.sequence[1].variants] == [2, 1]
    assert (read.sequence[0].seed, read.restarts) == (7, True)
    assert as_yaml(resolved(read)) == printed


def test_an_unknown_name_brings_up_the_nearest(scenario: Scenario) -> None:
    assert scenario("show", "oomm") == (2, "", "lyceum-emulator: there is no scenario `oomm`: did you mean `oom`?\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.yaml", "cannot read none.yaml: No such file or directory"),
        ("own/", "own is a directory: name one of its files"),
        ("own/latin.yaml", "own/latin.yaml:2:1: this is not UTF-8 text"),
        ("own/Bad Name.yaml", "own/Bad Name.yaml:1:1: `Bad Name` is no name for a scenario:"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(scenario: Scenario, write: Write, name: str, message: str) -> None:
    write("own/latin.yaml", "").write_bytes(b"summary: x\ntimeline: \xe9\n")
    write("own/Bad Name.yaml", MINE)
    said = scenario("show", name)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith(f"lyceum-emulator: {message}")


def test_the_schema_is_the_one_beside_the_built_in_scenarios(scenario: Scenario) -> None:
    printed = scenario("schema").out
    assert printed == (SCENARIO_DIRECTORY / "schema.json").read_text(encoding="utf-8")
    assert json.loads(printed)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
