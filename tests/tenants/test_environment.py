"""The environment variables that a tenant stores."""

import pytest

from emulator.errors import NotFound, TooMany
from emulator.tenants.environment import MAX_VARIABLES, Environment, EnvironmentVariable
from emulator.tenants.identity import Identity


@pytest.fixture
def environment() -> Environment:
    return Environment(Identity(0, "somebody"))


def test_a_stored_variable_has_no_value() -> None:
    """What is not kept cannot get out: whoever adds a value here has to think of every door again."""
    assert EnvironmentVariable.__struct_fields__ == (
        "id",
        "name",
        "is_secret",
        "created_ms",
        "updated_ms",
    )


def test_variables_are_listed_by_name(environment: Environment) -> None:
    environment.set({"WANDB_MODE": False, "HF_TOKEN": True}, 1_000)
    assert [(each.name, each.is_secret) for each in environment.variables()] == [
        ("HF_TOKEN", True),
        ("WANDB_MODE", False),
    ]
    assert environment.names == {"HF_TOKEN", "WANDB_MODE"}


def test_setting_a_variable_again_keeps_its_id_and_its_beginning(environment: Environment) -> None:
    (first,) = environment.set({"HF_TOKEN": True}, 1_000)
    (second,) = environment.set({"HF_TOKEN": False}, 2_000)
    assert second == EnvironmentVariable(first.id, "HF_TOKEN", is_secret=False, created_ms=1_000, updated_ms=2_000)
    assert environment.variables() == [second]


def test_ids_differ_between_variables_and_tenants_and_are_not_used_again(environment: Environment) -> None:
    other = Environment(Identity(0, "somebody else"))
    a, b = environment.set({"A": True, "B": True}, 0)
    (others,) = other.set({"A": True}, 0)
    environment.delete(a.id)
    (again,) = environment.set({"A": True}, 0)
    assert len({a.id, b.id, others.id, again.id}) == 4


def test_deleting_what_is_not_there_changes_nothing(environment: Environment) -> None:
    (variable,) = environment.set({"A": True}, 0)
    with pytest.raises(NotFound, match="Environment variable not found"):
        environment.delete("A")
    assert environment.delete(variable.id) == variable
    with pytest.raises(NotFound):
        environment.delete(variable.id)


def test_the_limit_counts_names_and_refuses_a_request_whole(environment: Environment) -> None:
    environment.set({f"V{n}": True for n in range(MAX_VARIABLES - 1)}, 0)
    with pytest.raises(TooMany, match="at most 1000 environment variables"):
        environment.set({"V0": True, "A": True, "B": True}, 1)
    assert "A" not in environment.names
    environment.set({"V0": True, "A": True}, 1)
    assert len(environment.names) == MAX_VARIABLES
    environment.set({f"V{n}": False for n in range(MAX_VARIABLES - 1)}, 2)
    assert environment.clear() == MAX_VARIABLES
    assert environment.variables() == []
