"""docs/pytest.md, docs/embedding.md and docs/ci.md: what they show works as typed, and answers as printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.plugin.conftest import Session
from tests.process import COMMAND, environment

DOCS = Path(__file__).parents[2] / "docs"


class Block(NamedTuple):
    """A fenced block of a page: what stands behind the fence, and what is in it."""

    words: str
    text: str


def blocks_of(name: str) -> list[Block]:
    page = (DOCS / name).read_text("utf-8")
    return [Block(*found) for found in re.findall(r"^```(\w.*)\n((?:.*\n)*?)```$", page, re.MULTILINE)]


PYTEST, EMBEDDING, CI = blocks_of("pytest.md"), blocks_of("embedding.md"), blocks_of("ci.md")
PROGRAMS = [
    (program.text, shown.text if shown.words == "text" else "")
    for program, shown in pairwise([*EMBEDDING, Block("", "")])
    if program.words == "python"
]


def files_of(*words: str) -> dict[str, str]:
    """The page's files by their names without the ending, which their first lines say."""
    named = [re.fullmatch(r"# (\w+)\.py\n((?:.*\n)*)", block.text) for block in PYTEST if block.words in words]
    assert all(named)
    return {found[1]: found[2] for found in named if found}


def test_the_ten_tests_and_all_others_of_the_page_pass(session: Session) -> None:
    files = files_of("python")
    assert len([name for name in files if re.match(r"test_\d\d_", name)]) == 10
    done = session(files)
    tests = sum(len(re.findall(r"^(?:async )?def test_", text, re.MULTILINE)) for text in files.values())
    done.assert_outcomes(passed=tests + 1)  # the asynchronous one twice: in asyncio and in trio


def test_failing_tests_are_reported_as_shown(session: Session) -> None:
    shown = [block.text for block in PYTEST if block.words == "text"]
    done = session(files_of("python fails") | {name: files_of("python")[name] for name in ("orchestrator", "conftest")})
    done.assert_outcomes(failed=len(shown))
    assert len(shown) == 2
    for text in shown:
        assert text in done.stdout.str()


@pytest.mark.parametrize(("program", "shown"), PROGRAMS)
def test_a_program_prints_what_is_shown(program: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, shown), done.stderr


def test_the_shell_lines_work_as_typed(tmp_path: Path) -> None:
    (script,), (shown,) = ([block.text for block in CI if block.words == words] for words in ("sh", "text"))
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment(PATH=path),
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, shown), done.stderr


def test_the_workflow_is_one_and_starts_the_emulator_as_it_can_be_started() -> None:
    (text,) = (block.text for block in CI if block.words == "yaml")
    (job,) = yaml.safe_load(text)["jobs"].values()
    assert "services" not in job
    (installed,) = re.findall(r"pip install \./(\S+)", text)
    assert installed in [step["with"]["path"] for step in job["steps"] if "path" in step.get("with", {})]
    started = next(step["run"] for step in job["steps"] if step.get("name") == "Start the emulator")
    arguments = re.search(r"lyceum-emulator serve (.*?) >", started)
    assert arguments
    refused = subprocess.run(
        [
            COMMAND,
            "serve",
            *arguments[1].split(),
            "--host",
            "256.256.256.256",
        ],  # all options are read before that fails
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert "cannot listen on 256.256.256.256" in refused.stderr


@pytest.mark.parametrize("page", [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda page: page.name)
def test_no_page_installs_the_emulator_from_where_it_is_not(page: Path) -> None:
    asked = re.findall(r"pip install (?:-\S+ )*(\S+)", page.read_text("utf-8"))
    assert [each for each in asked if each.strip("`'\"").startswith("lyceum-emulator")] == []


def test_blocks_are_of_kinds_that_tests_know() -> None:
    assert {block.words for block in PYTEST} == {"python", "python fails", "text"}
    assert {block.words for block in EMBEDDING} == {"python", "text"}
    assert sorted(block.words for block in CI) == ["sh", "text", "yaml"]


def test_links_lead_to_headings_and_files() -> None:
    for name in ("pytest.md", "embedding.md", "ci.md"):
        links = re.findall(r"\]\((?!https?:)([^)]+)\)", (DOCS / name).read_text("utf-8"))
        assert links, name
        for link in links:
            path, _, anchor = link.partition("#")
            target = DOCS / (path or name)
            assert target.exists(), link
            if anchor:
                headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings}
