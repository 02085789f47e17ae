"""docs/snapshots.md: its commands print what it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.process import serving

PAGE = (Path(__file__).parents[1] / "docs" / "snapshots.md").read_text("utf-8")


def test_the_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    (script,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    with serving() as server:
        script = script.replace("http://127.0.0.1:8642", server.url)
        done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == shown
