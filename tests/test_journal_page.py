"""docs/journal.md: its commands answer what it says, and its log line is the one that is written."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from emulator.tenants.journal import IN_ALL, PER_CALLER
from tests.process import serving

PAGE = (Path(__file__).parents[1] / "docs" / "journal.md").read_text("utf-8")


def block(language: str) -> str:
    """The page's only block in `language`."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_example_answers_what_the_page_shows() -> None:
    with serving() as server:
        script = block("sh").replace("http://127.0.0.1:8642", server.url)
        done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
        log = re.sub(r"[\d:.]{12}|\d+\.\d ms", "*", server.logged())
    shown, answered = json.loads(block("json")), json.loads(done.stdout)
    assert answered["total"] == shown["total"]
    for expected, told in zip(shown["requests"], answered["requests"], strict=True):
        assert {name: told[name] for name in expected} == expected
    wanted = re.sub(r"[\d:.]{12}|\d+\.\d ms", "*", block("text"))
    assert "".join(wanted.split()) in "".join(log.split())


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"last {PER_CALLER:,} of each token, {IN_ALL:,} in" in " ".join(PAGE.split())
