"""`--env` and `--job-type`: what a submission is given, and what kind of job it is."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Scenario, Write

NEEDY = "timeline: [{running: 9s}]\nneeds_env: [HF_TOKEN, WANDB_API_KEY]\n"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ((), "KeyError: 'HF_TOKEN'"),
        (("HF_TOKEN",), "KeyError: 'WANDB_API_KEY'"),
        (("WANDB_API_KEY", "HF_TOKEN"), None),
    ],
)
def test_a_simulated_run_has_the_variables_that_it_is_given(
    scenario: Scenario, write: Write, given: tuple[str, ...], error: str | None
) -> None:
    write("needy.yaml", NEEDY)
    options = [word for name in given for word in ("--env", name)]
    record = json.loads(scenario("simulate", "needy.yaml", *options, "--json").out)["record"]
    assert (record["errors"], record["environment_variables"]) == (error, sorted(given))
    assert record["status"] == ("completed" if error is None else "failed")


def test_a_drawn_run_says_what_it_ended_for_lack_of(scenario: Scenario, write: Write) -> None:
    write("needy.yaml", NEEDY)
    drawn = scenario("simulate", "needy.yaml").out
    assert "for lack of an environment variable" in drawn
    assert "KeyError: 'HF_TOKEN'" in drawn


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("HF_TOKEN=hunter2", "write 'HF_TOKEN' without a value, which nothing reads"),
        ("HF-TOKEN", "'HF-TOKEN' is not the name of an environment variable such as HF_TOKEN"),
        ("", "'' is not the name of an environment variable such as HF_TOKEN"),
    ],
)
def test_what_is_no_name_is_refused_and_no_value_said_again(scenario: Scenario, given: str, told: str) -> None:
    said = scenario("simulate", "completed", "--env", given)
    assert said.code == 2
    assert told in " ".join(said.err.split())
    assert "hunter2" not in said.out + said.err


def test_what_a_file_needs_is_shown_with_it(scenario: Scenario, write: Write) -> None:
    write("needy.yaml", NEEDY)
    assert "needs_env: [HF_TOKEN, WANDB_API_KEY]" in scenario("show", "needy.yaml", "--resolved").out
    write("again.yaml", scenario("show", "needy.yaml", "--resolved").out)
    assert scenario("check", "again.yaml").code == 0


def test_a_notebook_is_one_by_its_job_type(scenario: Scenario) -> None:
    said = json.loads(scenario("match", "--job-type", "customer_notebook", "--json").out)
    assert (said["scenario"], said["rule"]) == ("notebook", "default")
    wrong = scenario("match", "--job-type", "customer_notebook", "--kind", "python")
    assert (wrong.code, "--job-type is for docker runs" in wrong.err) == (2, True)
