"""Variables that are named like those of the options and set none."""

from __future__ import annotations

import pytest

from emulator.cli import main
from emulator.cli.variables import unread_variables
from tests.cli.conftest import Scenario


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("LYCEUM_EMULATOR_PROT", "; did you mean LYCEUM_EMULATOR_PORT?"),
        ("LYCEUM_EMULATOR_API_KEYS", "; did you mean LYCEUM_EMULATOR_API_KEY?"),
        ("LYCEUM_EMULATOR_SCENARIO_DIRECTORY", "; did you mean LYCEUM_EMULATOR_SCENARIO?"),
        ("LYCEUM_EMULATOR_", ""),
        ("LYCEUM_EMULATOR_QQQQ", ""),
    ],
)
def test_a_misspelt_variable_is_told_without_its_value(name: str, hint: str) -> None:
    assert list(unread_variables(main, {name: "secret"})) == [f"no command reads the variable {name}{hint}"]


@pytest.mark.parametrize(
    "name",
    [
        "LYCEUM_EMULATOR_PORT",
        "LYCEUM_EMULATOR_URL",  # of `coverage`
        "LYCEUM_EMULATOR_CONTROL_TOKEN",  # of the pytest plugin as well
        "LYCEUM_EMULATOR_SCENARIOS",
        "LYCEUM_API_KEY",  # clients' own
        "LYCEUM_ORG",
        "LYCEUM_EMULATOR_SERVICE_HOST",  # what Kubernetes tells containers of a service of this name
        "LYCEUM_EMULATOR_SERVICE_PORT_HTTP",
        "LYCEUM_EMULATOR_PORT_8642_TCP_ADDR",
    ],
)
def test_what_somebody_reads_or_nobody_wrote_is_not_told(name: str) -> None:
    assert list(unread_variables(main, {name: "x"})) == []


def test_every_option_with_a_variable_is_known() -> None:
    """A variable is found wherever a command below another declares it."""
    options = {"LYCEUM_EMULATOR_SCENARIO", "LYCEUM_EMULATOR_STATE", "LYCEUM_EMULATOR_URL", "LYCEUM_EMULATOR_SEED"}
    assert list(unread_variables(main, dict.fromkeys(options, ""))) == []


def test_other_commands_tell_it_as_well_and_go_on(scenario: Scenario) -> None:
    said = scenario("list", LYCEUM_EMULATOR_SCENARIS="here")
    assert said.code == 0
    assert said.err == (
        "lyceum-emulator: no command reads the variable LYCEUM_EMULATOR_SCENARIS;"
        " did you mean LYCEUM_EMULATOR_SCENARIOS?\n"
    )
