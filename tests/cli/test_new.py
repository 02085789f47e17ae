"""`scenario new`: a file to start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.cli.starter import starting_text
from emulator.scenario.file.schema import schema_text
from tests.cli.conftest import Scenario, Write


def test_it_writes_the_file_and_the_schema_and_says_what_to_do_with_them(scenario: Scenario, tmp_path: Path) -> None:
    assert scenario("new", "nightly", "--directory", "own") == (
        0,
        "wrote own/nightly.yaml\n"
        "wrote own/schema.json\n"
        "try it:   lyceum-emulator scenario simulate own/nightly.yaml\n"
        "serve it: lyceum-emulator serve --scenarios own\n",
        "",
    )
    assert (tmp_path / "own/nightly.yaml").read_text() == starting_text("nightly")
    assert (tmp_path / "own/schema.json").read_text() == schema_text()


@pytest.mark.parametrize("name", ["nightly", "a", "null", "1e3", "a.b_c-d", "x" * 100])
def test_what_it_writes_is_checked_without_a_warning(scenario: Scenario, name: str) -> None:
    scenario("new", name, "--directory", "own")
    assert scenario("check", "own", "--strict") == (0, "1 file: no problems\n", "")


def test_the_suggested_commands_work(scenario: Scenario) -> None:
    scenario("new", "nightly")
    assert scenario("simulate", "nightly.yaml").lines()[0] == "nightly  nightly.yaml"


def test_its_match_is_for_files_of_its_name(scenario: Scenario) -> None:
    scenario("new", "nightly")
    said = scenario("match", "--scenarios", ".", "--file-name", "nightly-3.py")
    assert said.lines()[0].startswith("nightly  by match: ")


def test_every_key_that_it_comments_out_can_be_put_in(scenario: Scenario, tmp_path: Path) -> None:
    text = starting_text("nightly")
    for line in ("# timeout: ignore", "  # - {at: 29s, stream: stderr,"):
        assert line in text
        text = text.replace(line, line.replace("# ", "", 1))
    (tmp_path / "nightly.yaml").write_text(text)
    assert scenario("check", "nightly.yaml", "--strict").code == 0


@pytest.mark.parametrize("existing", ["nightly.yaml", "nightly.yml"])
def test_it_overwrites_nothing(scenario: Scenario, write: Write, existing: str) -> None:
    file = write(existing, "mine")
    assert scenario("new", "nightly") == (
        2,
        "",
        f"lyceum-emulator: {existing} exists already, and is not overwritten\n",
    )
    assert file.read_text() == "mine"


def test_it_leaves_a_schema_that_is_there(scenario: Scenario, write: Write) -> None:
    file = write("schema.json", "mine")
    assert scenario("new", "nightly").lines()[:2] == [
        "wrote nightly.yaml",
        "try it:   lyceum-emulator scenario simulate nightly.yaml",
    ]
    assert file.read_text() == "mine"


def test_a_name_that_none_can_have_is_refused_with_one_that_can(scenario: Scenario, tmp_path: Path) -> None:
    said = scenario("new", "My Run")
    assert said.code == 2
    assert said.err.endswith("such as `my-run`\n")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_one_sentence(scenario: Scenario, write: Write) -> None:
    write("own", "a file")
    said = scenario("new", "nightly", "--directory", "own/deeper")
    assert (said.code, said.err) == (2, "lyceum-emulator: cannot write own/deeper: Not a directory\n")
