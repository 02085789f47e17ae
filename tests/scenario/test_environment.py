"""Environment variables that a scenario needs."""

import pytest
from msgspec.structs import replace

from emulator.errors import ScenarioError
from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.environment import ending_without, missing_variable, traceback_of
from emulator.scenario.file.format import read_scenario
from emulator.scenario.library import Library
from emulator.scenario.model import Scenario
from emulator.scenario.submission import Kind, Submission
from emulator.statuses import RunStatus

SUBMISSION = Submission(Kind.PYTHON, "gpu.h100", code="pass")


def scenario(text: str) -> Scenario:
    return read_scenario(f"timeline: [{{running: 9s}}]\n{text}", name="needy", source="needy.yaml")


def test_the_first_name_that_is_missing_is_told() -> None:
    needy = scenario("needs_env: [B, A, C]")
    given = [replace(SUBMISSION, environment=names) for names in ((), ("B",), ("B", "C"), ("A", "B", "C"))]
    assert [missing_variable(needy, each) for each in given] == ["B", "A", "A", None]
    assert missing_variable(scenario(""), SUBMISSION) is None


def test_names_are_told_apart_by_their_case() -> None:
    assert missing_variable(scenario("needs_env: [Token]"), replace(SUBMISSION, environment=("TOKEN",))) == "Token"


def test_a_name_that_is_listed_twice_is_needed_once() -> None:
    assert scenario("needs_env: [A, B, A]").needs_env == ("A", "B")


def test_an_alternative_and_an_extending_scenario_replace_what_is_needed() -> None:
    base = scenario("needs_env: [A]\nvariants: [{}, {needs_env: []}, {needs_env: [B]}]")
    assert [variant.scenario.needs_env for variant in base.variants] == [("A",), (), ("B",)]
    library = Library.load(built_in=SCENARIO_DIRECTORY).with_added(base)
    extending = library.read("extends: needy\nneeds_env: [C]", name="other", source="other.yaml")
    taking_over = library.read("extends: needy", name="third", source="third.yaml")
    assert (extending.needs_env, taking_over.needs_env) == (("C",), ("A",))


@pytest.mark.parametrize("name", ["1A", "A-B", "", "HF TOKEN", "Ä", "A" * 256])
def test_what_no_variable_can_be_called_is_refused(name: str) -> None:
    with pytest.raises(ScenarioError, match=r"needs_env\[0\]: "):
        scenario(f'needs_env: ["{name}"]')


def test_the_error_is_the_last_line_of_the_traceback() -> None:
    ending = ending_without("HF_TOKEN")
    assert (ending.status, ending.return_code, ending.error) == (RunStatus.FAILED, 1, "KeyError: 'HF_TOKEN'")
    assert traceback_of(ending).startswith("Traceback (most recent call last):\n")
    assert traceback_of(ending).endswith("\nKeyError: 'HF_TOKEN'\n")
