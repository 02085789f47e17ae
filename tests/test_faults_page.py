"""docs/faults.md: its commands answer what it says, its examples are read, its table has every fault."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from emulator.documents import read_document
from emulator.faults.effect import READY_MADE_NAMES, REFUSALS, Effect
from emulator.faults.fault import MAX_BODY_BYTES, Fault
from emulator.faults.standing import MAX_FAULTS
from emulator.scenario.file.faults import ANYWHERE, MAX_OF_SCENARIO
from emulator.scenario.file.grammar import Findings
from tests.process import serving

PAGE = (Path(__file__).parents[1] / "docs" / "faults.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([a-z-]+)` \| .* \| (yes|no) \| (.*?) ?\|$", PAGE, re.MULTILINE)
COMMON = {"operation", "path", "stream", "while", "skip", "times", "probability", "from", "until", "seed"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def read(text: str) -> tuple[Fault | None, list[str]]:
    """The fault, or what is wrong with it."""
    document, findings = read_document(text), Findings()
    assert document.root is not None
    fault = ANYWHERE.read(document.root, "", findings)
    return fault, [problem.message for problem in (*document.problems, *findings.problems())]


def test_the_commands_answer_what_the_page_shows() -> None:
    (script,), (shown,) = blocks("sh"), blocks("text")
    with serving() as server:
        script = script.replace("http://127.0.0.1:8642", server.url)
        done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
        assert done.stdout == shown
        assert "fault: fault-1: no-capacity, answered 500" in server.logged()


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_example_is_read(text: str) -> None:
    fault, problems = read(text)
    assert (type(fault), problems) == (Fault, [])


def test_the_table_has_every_fault_and_says_whether_it_is_done() -> None:
    assert [name for name, *_ in ROWS] == [effect.value for effect in READY_MADE_NAMES]
    assert {name for name, done, _ in ROWS if done == "no"} == {
        effect.value for effect in REFUSALS if effect is not Effect.ANSWER
    }


@pytest.mark.parametrize(("name", "keys"), [(name, keys) for name, _, keys in ROWS])
def test_the_keys_of_a_fault_go_with_it(name: str, keys: str) -> None:
    values = {"retry_after": "1s", "after_bytes": "9", "over": "1s", "after_events": "3", "share": "20%"}
    given = [f"{key}: {values[key]}" for key in re.findall(r"`(\w+)`", keys)]
    fault, problems = read(f"{{fault: {name}, {', '.join(given)}}}" if given else f"{{fault: {name}}}")
    assert (fault is not None and fault.effect.value, problems) == (name, [])


def test_every_key_is_told() -> None:
    for key in ANYWHERE.keys:
        assert f"`{key.name}" in PAGE
    assert {key.name for key in ANYWHERE.keys} >= COMMON


def test_the_bounds_are_those_of_the_code() -> None:
    told = f"{MAX_FAULTS:,} faults of a tenant and as many for everybody, {MAX_OF_SCENARIO} of a scenario"
    assert f"{told}, {MAX_BODY_BYTES // 1024} KiB" in " ".join(PAGE.split())
