"""`lyceum env`, which came with version 1.1."""

import pytest

from tests.clients.official import OfficialClient, Outcome, table_in

WITH_ENV = pytest.mark.parametrize("version", ["1.2.2", "1.1.7"])
SECRET = "never-to-be-seen"


@WITH_ENV
def test_variables_are_set_listed_and_removed(lyceum: OfficialClient) -> None:
    nothing = "No environment variables set.\nSet one with: lyceum env set NAME value\n"
    assert lyceum("env", "list") == Outcome(0, nothing, "")
    for name in ("WANDB_MODE", "HF_TOKEN"):
        assert lyceum("env", "set", name, SECRET) == Outcome(0, f"✓ Set {name}\n", "")

    rows = lyceum.get("/environment-variables/")["environment_variables"]
    listed = lyceum("env", "list")
    assert listed.exit_code == 0
    assert table_in(listed.stdout).rows == [[row["name"], "<secret>", row["updated_at"][:19]] for row in rows]
    assert [row["name"] for row in rows] == ["HF_TOKEN", "WANDB_MODE"]
    assert lyceum.json("env", "list") == rows
    assert SECRET not in listed.stdout + str(rows)

    assert lyceum("env", "rm", "HF_TOKEN") == Outcome(0, "✓ Deleted HF_TOKEN\n", "")
    missing = Outcome(1, "Error: no environment variable named 'HF_TOKEN'\n", "")
    assert lyceum("env", "rm", "HF_TOKEN") == missing
    assert lyceum("env", "rm", "--all", "--force") == Outcome(0, "✓ Deleted all environment variables\n", "")
    assert lyceum("env", "list") == Outcome(0, nothing, "")


@WITH_ENV
def test_a_name_that_no_variable_can_have_is_refused_without_the_value(lyceum: OfficialClient) -> None:
    outcome = lyceum("env", "set", "A-B", SECRET)
    assert outcome.exit_code == 1
    assert "String should match pattern" in outcome.stdout
    assert SECRET not in outcome.stdout + outcome.stderr


@WITH_ENV
def test_a_run_gets_what_was_set(lyceum: OfficialClient) -> None:
    lyceum("env", "set", "HF_TOKEN", SECRET)
    execution_id = lyceum.start("streaming", "says-nothing", code="pass")
    record = lyceum.record(execution_id)
    assert record["environment_variables"] == ["HF_TOKEN"]
    assert SECRET not in str(record)
