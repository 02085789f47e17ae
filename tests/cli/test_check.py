"""`scenario check`: what it finds, in which form it tells it, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.cli.checking import Finding, Report, as_github
from emulator.errors import Problem
from emulator.resources import SCENARIO_DIRECTORY
from tests.cli.conftest import Scenario, Write

GOOD = "summary: Good.\ntimeline: [{running: 5s}]\n"
BAD = "summary: Bad.\ntimeline:\n  - running: 5\n  - complete\n"
ODD = "timeline:\n  - running: 5m\n"


def test_all_errors_and_warnings_are_told_with_their_lines(scenario: Scenario, write: Write) -> None:
    write("own/bad.yaml", BAD)
    write("own/good.yaml", GOOD)
    write("own/odd.yaml", ODD)
    said = scenario("check", "own")
    assert said.code == 1
    assert said.out == (
        "own/bad.yaml:3:14: error: timeline[0].running: `5` has no unit: write `5s` or `5m`\n"
        "      - running: 5\n"
        "                 ^\n"
        "own/bad.yaml:4:5: error: timeline[1]: `complete` is no status: did you mean `completed`?\n"
        "      - complete\n"
        "        ^\n"
        "own/odd.yaml:1:1: warning: there is no `summary`: add the line that lists show, such as"
        " `summary: Fails at once.`  [no-summary]\n"
        "    timeline:\n"
        "    ^\n"
        "own/odd.yaml:2:14: warning: timeline[0].running: running lasts 5m, and the limit that most clients send, 1m,"
        " cuts it: add `timeout: ignore`, or `timeout: enforce` if that is meant  [no-timeout]\n"
        "      - running: 5m\n"
        "                 ^\n"
        "3 files: 2 errors, 2 warnings\n"
    )


def test_the_arrow_stands_below_its_column_behind_tabs_too(scenario: Scenario, write: Write) -> None:
    write("own/bad.yaml", "timeline:\n\t- running: 5s\n")
    assert scenario("check", "own").lines()[1:3] == ["    \t- running: 5s", "    ^"]


def test_files_without_problems_end_with_exit_code_0(scenario: Scenario, write: Write) -> None:
    write("own/good.yaml", GOOD)
    assert scenario("check", "own/good.yaml") == (0, "1 file: no problems\n", "")


def test_the_built_in_scenarios_are_without_errors(scenario: Scenario) -> None:
    count = len(list(SCENARIO_DIRECTORY.glob("*.yaml")))
    assert scenario("check", SCENARIO_DIRECTORY, "--format", "json").json()["files"] == count


def test_warnings_count_only_when_strict(scenario: Scenario, write: Write) -> None:
    write("own/odd.yaml", ODD)
    assert [scenario("check", "own", *strict).code for strict in ((), ("--strict",))] == [0, 1]


def test_rules_can_be_ignored(scenario: Scenario, write: Write) -> None:
    write("own/odd.yaml", ODD)
    said = scenario("check", "own", "--strict", "--ignore", "no-summary", "--ignore", "no-timeout")
    assert said == (0, "1 file: no problems\n", "")


def test_a_rule_that_does_not_exist_is_refused(scenario: Scenario, write: Write) -> None:
    write("own/odd.yaml", ODD)
    said = scenario("check", "own", "--ignore", "no-sumary")
    assert said.code == 2
    assert "there is no rule `no-sumary`: there are `no-summary`, `no-timeout`, `late-output`" in said.err


def test_errors_cannot_be_ignored(scenario: Scenario, write: Write) -> None:
    write("own/bad.yaml", BAD)
    assert scenario("check", "own", "--ignore", "no-summary").code == 1


def test_github_gets_annotations_and_nothing_else(scenario: Scenario, write: Write) -> None:
    write("own/bad.yaml", "summary: Bad.\ntimeline: [{running: 5}]\n")
    write("own/odd.yaml", "timeline: [{running: 5s}]\n")
    said = scenario("check", "own", "--format", "github")
    assert said == (
        1,
        "::error file=own/bad.yaml,line=2,col=22,title=invalid scenario::"
        "timeline[0].running: `5` has no unit: write `5s` or `5m`\n"
        "::warning file=own/odd.yaml,line=1,col=1,title=no-summary::"
        "there is no `summary`: add the line that lists show, such as `summary: Fails at once.`\n",
        "",
    )


def test_what_annotations_are_made_of_is_escaped() -> None:
    finding = Finding(Path("a,b:c.yaml"), Problem("50%: a\nb", "x[0]", 2, 3))
    assert list(as_github(Report(1, (finding,)))) == [
        "::error file=a%2Cb%3Ac.yaml,line=2,col=3,title=invalid scenario::x[0]: 50%25: a%0Ab"
    ]


def test_json_has_every_part_of_a_problem(scenario: Scenario, write: Write) -> None:
    write("own/odd.yaml", "summary: Odd.\n" + ODD)
    assert scenario("check", "own", "--format", "json").json() == {
        "files": 1,
        "errors": 0,
        "warnings": 1,
        "problems": [
            {
                "file": "own/odd.yaml",
                "line": 3,
                "column": 14,
                "path": "timeline[0].running",
                "severity": "warning",
                "rule": "no-timeout",
                "message": "running lasts 5m, and the limit that most clients send, 1m, cuts it: add `timeout: ignore`,"
                " or `timeout: enforce` if that is meant",
            }
        ],
    }


def test_without_a_path_the_directories_of_serve_are_checked(scenario: Scenario, write: Write) -> None:
    directory = write("own/bad.yaml", BAD).parent
    said = scenario("check", LYCEUM_EMULATOR_SCENARIOS=str(directory))
    assert (said.code, said.lines()[-1]) == (1, "1 file: 2 errors")


def test_without_anything_to_check_it_asks_for_something(scenario: Scenario) -> None:
    said = scenario("check")
    assert said.code == 2
    assert "name a file or directory to check, or set --scenarios" in said.err


def test_a_path_that_does_not_exist_is_one_sentence(scenario: Scenario) -> None:
    assert scenario("check", "none.yaml") == (
        2,
        "",
        "lyceum-emulator: cannot read none.yaml: No such file or directory\n",
    )


def test_each_path_that_does_not_exist_is_told(scenario: Scenario, write: Write) -> None:
    write("own/bad.yaml", BAD)
    assert scenario("check", "none.yaml", "own", "nowhere").err.splitlines() == [
        "lyceum-emulator: cannot read none.yaml: No such file or directory",
        "lyceum-emulator: cannot read nowhere: No such file or directory",
    ]


def test_mistakes_between_files_are_told_beside_a_files_own(scenario: Scenario, write: Write) -> None:
    write("own/base.yaml", GOOD)
    text = "extends: base\nmetrics: [{phase: all, shape: trian-llm, gpu_memry: 5%}]\noutput: [{at: 9s, text: late}]\n"
    write("own/mine.yaml", text)
    write("own/other.yaml", "extends: bse\ntimeout: never\n")
    found = json.loads(scenario("check", "own", "--format", "json").out)["problems"]
    assert [(each["file"], each["line"], each["path"], each["message"]) for each in found] == [
        ("own/mine.yaml", 2, "metrics[0].shape", "there is no `trian-llm` here: did you mean `train-llm`?"),
        ("own/mine.yaml", 2, "metrics[0]", "there is no key `gpu_memry` here: did you mean `gpu_memory`?"),
        ("own/mine.yaml", 3, "output[0]", "never written: running ends after 5s, and this starts at 9s"),
        ("own/other.yaml", 1, "extends", "there is no scenario `bse`: did you mean `base`?"),
        ("own/other.yaml", 2, "timeout", "expected `enforce` or `ignore`, found the text `never`"),
    ]


def test_a_circle_is_told_though_its_files_have_other_mistakes(scenario: Scenario, write: Write) -> None:
    write("own/one.yaml", "extends: other\ntimeout: never\n")
    write("own/other.yaml", "extends: one\nseed: x\n")
    found = json.loads(scenario("check", "own", "--format", "json").out)["problems"]
    assert [(each["file"], each["path"], each["message"]) for each in found if each["path"] == "extends"] == [
        ("own/one.yaml", "extends", "this goes round in a circle: one → other → one"),
        ("own/other.yaml", "extends", "this goes round in a circle: other → one → other"),
    ]
    assert len(found) == 4


def test_a_single_file_may_extend_its_neighbour_which_is_not_told_of(scenario: Scenario, write: Write) -> None:
    write("own/base.yaml", ODD)
    write("own/more.yaml", "summary: More.\nextends: base\n")
    write("own/broken.yaml", BAD)
    assert scenario("check", "own/more.yaml") == (0, "1 file: no problems\n", "")


def test_a_base_that_does_not_exist_is_an_error_of_the_file_that_extends_it(scenario: Scenario, write: Write) -> None:
    write("own/more.yaml", "summary: More.\nextends: ooom\n")
    said = scenario("check", "own")
    assert said.code == 1
    assert said.lines()[0] == "own/more.yaml:2:10: error: extends: there is no scenario `ooom`: did you mean `oom`?"


def test_a_single_file_is_held_against_the_earlier_ones_of_its_directory(scenario: Scenario, write: Write) -> None:
    match = 'match: {file_name: "*.py"}\n'
    write("own/a.yaml", GOOD + match)
    write("own/b.yaml", GOOD + match)
    assert scenario("check", "own/a.yaml").lines() == ["1 file: no problems"]
    assert scenario("check", "own/b.yaml").lines()[0] == (
        "own/b.yaml:3:1: warning: match: never decides: whatever fits it fits the `match` of `a`,"
        " which is asked first  [never-matches]"
    )


def test_a_name_in_two_directories_is_told_of_the_later_one(scenario: Scenario, write: Write) -> None:
    write("one/a.yaml", GOOD)
    write("two/a.yaml", GOOD)
    said = scenario("check", "one", "two")
    assert (
        said.lines()[0]
        == "two/a.yaml:1:1: warning: never used: one/a.yaml is called `a`, too, and comes first  [repeated-name]"
    )
    assert said.lines()[-1] == "2 files: 1 warning"


def test_what_serve_loads_comes_before_the_paths_and_is_not_told_of(scenario: Scenario, write: Write) -> None:
    write("one/a.yaml", ODD)
    write("two/a.yaml", GOOD)
    said = scenario("check", "two", "--scenarios", "one")
    assert said.lines()[0].startswith("two/a.yaml:1:1: warning: never used: one/a.yaml is called `a`, too")
    assert said.lines()[-1] == "1 file: 1 warning"


def test_a_file_that_is_named_twice_is_checked_once(scenario: Scenario, write: Write) -> None:
    write("own/bad.yaml", BAD)
    assert scenario("check", "own", "own/bad.yaml").lines()[-1] == "1 file: 2 errors"


@pytest.mark.parametrize("form", ["text", "github"])
def test_a_file_that_cannot_be_opened_is_an_error_at_its_first_line(
    scenario: Scenario, write: Write, form: str
) -> None:
    broken = write("own/gone.yaml", "")
    broken.unlink()
    broken.symlink_to("nowhere")
    said = scenario("check", "own", "--format", form)
    assert said.code == 1
    assert "cannot be read: No such file or directory" in said.lines()[0]
