"""A thousand tests at once on one server, none of which may meet another's runs."""

from __future__ import annotations

import json
from urllib.request import urlopen

from tests.plugin.conftest import Session
from tests.process import serving

THOUSAND = """
import pytest

@pytest.mark.parametrize("number", range(1000))
def test_it(lyceum, lyceum_client, number):
    assert (lyceum.runs, lyceum.requests()) == ((), ())
    lyceum.scenario("failed" if number % 3 else "oom")
    lyceum.clock.advance(f"{number + 1}s")
    started = lyceum_client.post("/execution/streaming/start", json={"code": f"print({number})"}).json()
    lyceum.clock.until(started["execution_id"], "terminal")
    assert lyceum_client.get(f"/execution/{started['execution_id']}").json()["status"] == "failed"
    (run,) = lyceum.runs
    assert (run.submission["code"], run.submitted_at.second) == (f"print({number})", (number + 1) % 60)
    assert len(lyceum.requests()) == 2
"""


def test_a_thousand_tests_on_two_workers_and_one_server_do_not_meet(session: Session) -> None:
    """In random order, which pytest-randomly says; afterwards nothing of them is left."""
    with serving("--no-access-log") as server:
        done = session(
            {"test_thousand": THOUSAND},
            *("-n", "2", "--lyceum-url", server.url),
            plugins=("-p", "no:asyncio", "-p", "no:cacheprovider"),
        )
        done.assert_outcomes(passed=1000)
        done.stdout.fnmatch_lines(["Using --randomly-seed=*"])
        with urlopen(f"{server.url}/_emulator/runs") as answer:
            assert json.load(answer) == {"runs": [], "total": 0}
        with urlopen(f"{server.url}/_emulator/requests") as answer:
            assert json.load(answer)["total"] == 0
