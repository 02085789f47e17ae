"""docs/callbacks.md: its example works as typed, and its figures are those of the code."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

from emulator.contract.document import load_document
from emulator.resources import CONTRACT_FILE
from emulator.server import courier, lanes, post
from emulator.server.settings import CallbackSettings
from tests.process import serving

PAGE = (Path(__file__).parents[1] / "docs" / "callbacks.md").read_text("utf-8")
WORDS = " ".join(PAGE.split())


def blocks(language: str) -> list[str]:
    return [str(block) for block in re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


def test_the_example_does_what_the_page_shows(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    (code,), (script,), (printed, shown) = blocks("python"), blocks("sh"), blocks("text")
    file = tmp_path / "receiver.py"
    file.write_text(code.replace("9000", port), "utf-8")
    receiver = subprocess.Popen(
        [sys.executable, file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    with receiver, serving("--clock", "manual") as server:
        try:
            typed = script.replace("http://127.0.0.1:8642", server.url).replace("9000", port)
            done = subprocess.run(["bash", "-euc", typed], capture_output=True, text=True, check=True, timeout=60)
            assert receiver.stdout is not None
            assert receiver.stdout.readline() == printed
        finally:
            receiver.kill()
    assert done.stdout == shown.replace("9000", port)


def test_the_figures_are_those_of_the_code() -> None:
    settings = CallbackSettings()
    retries = ", ".join(f"{each:g}" for each in settings.retries_s[:-1])
    for said in (
        f"longer than {settings.limit_s:g} s are repeated after {retries} and {settings.retries_s[-1]:g} seconds",
        f"or after {settings.advance_s:g} s",
        f"that are due {settings.grace_s:g} s in all",
        f"body {post.MAX_ANSWER_BYTES >> 10} KiB are read",
        f"At most {lanes.MAX_PER_RECEIVER} connections are open to one receiver",
        f"taken from {lanes.MAX_RECEIVERS_AT_ONCE}, all others from {lanes.MAX_MORE_CONNECTIONS}",
        f"{courier.MAX_WAITING_PER_RECEIVER:,} callbacks wait for one receiver and {courier.MAX_WAITING:,} in all",
    ):
        assert said in WORDS
    assert lanes.SPACING_S == 0.25
    urls = load_document(CONTRACT_FILE)["components"]["schemas"]["CallbackUrls"]
    assert (urls["maxItems"], urls["items"]["maxLength"]) == (10, 2048)


def test_the_fields_are_those_of_the_contract() -> None:
    fields = load_document(CONTRACT_FILE)["components"]["schemas"]["Completion"]["properties"]
    listed = re.search(r"each as in the run's record: (.*?)\.", WORDS)
    assert listed is not None
    assert sorted(re.findall(r"`(\w+)`", listed[1])) == sorted(fields)
