"""docs/gpu-selection.md: its example answers as printed, and what it says of errors and devices is so."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from emulator.hardware.profiles import find_profile
from emulator.resources import SCENARIO_DIRECTORY
from emulator.runs.selection import SelectionStatus
from emulator.scenario.code_check import CPU_ONLY, NO_FRAMEWORK, NO_MODEL, NO_TRAINING_LOOP
from tests.process import environment, serving

PAGE = (Path(__file__).parents[1] / "docs" / "gpu-selection.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHELL, PRINTED, ERRORS, _BY_QUEUE = (text for _, text in BLOCKS)


def test_the_page_has_the_blocks_that_are_tested() -> None:
    assert [kind for kind, _ in BLOCKS] == ["sh", "json", "text", "sh"]


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    with serving("--clock", "manual") as server:
        typed = SHELL.replace("http://127.0.0.1:8642", server.url)
        ended = subprocess.run(
            ["sh", "-eu", "-c", typed], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
    assert ended.returncode == 0, ended.stderr
    first, _, rest = ended.stdout.partition("\n")
    assert first.strip() == '"status": "queued",'
    assert json.loads(rest) == json.loads(PRINTED)


def test_the_errors_are_those_of_the_look() -> None:
    assert ERRORS.splitlines() == [NO_FRAMEWORK, CPU_ONLY, NO_MODEL, NO_TRAINING_LOOP]


def test_the_table_has_every_word_in_its_order() -> None:
    others = [word.value for word in SelectionStatus if word is not SelectionStatus.ABORTED]
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [*others, "aborted"]


@pytest.mark.parametrize(("speed", "name"), re.findall(r"([\d.]+) on\s+an?\s+([A-Z0-9]+)[,.]", PAGE))
def test_the_speeds_are_those_of_the_catalogue(speed: str, name: str) -> None:
    profile = find_profile(name.lower())
    assert profile is not None
    assert profile.device is not None
    assert profile.device.relative_speed == float(speed)


def test_every_built_in_selection_is_named() -> None:
    for path in SCENARIO_DIRECTORY.glob("selection-*.yaml"):
        assert f"- `{path.stem}`: " in PAGE
