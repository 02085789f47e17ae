"""What a test is told of its own mistakes: calls and markers that are refused, requests without a key."""

from __future__ import annotations

import re

import pytest

from tests.plugin.conftest import Session
from tests.process import serving

OURS = re.compile(r"\bemulator/(embedded|pytest_plugin)")
"""A line of a traceback that leads into the emulator."""

MISTAKES = {
    "test_scenario": ("lyceum.scenario('omm')", "there is no scenario `omm`: did you mean `oom`[?]"),
    "test_always": ("lyceum.always({'timeline': []})", "*timeline*"),
    "test_fault": ("lyceum.fault('no_capacity')", "*did you mean `no-capacity`[?]"),
    "test_advance": ("lyceum.clock.advance('5')", "*should be a duration, such as 500ms*"),
    "test_to": ("lyceum.clock.to(__import__('datetime').datetime(2026, 1, 1))", "*has no time zone*"),
    "test_run": ("lyceum.run('nowhere')", "*"),
    "test_control": ("lyceum.control('GET', '/nowhere')", "*"),
    "test_file": ("lyceum.scenario('nowhere.yaml')", "*No such file*"),
}


def test_what_is_refused_is_shown_at_the_line_that_asked_and_nowhere_else(session: Session) -> None:
    tests = "".join(f"def {name}(lyceum):\n    {line}\n\n" for name, (line, _) in MISTAKES.items())
    done = session({"test_mistakes": tests})
    done.assert_outcomes(failed=len(MISTAKES))
    told = done.stdout.str()
    assert not OURS.search(told)
    for name, (line, why) in MISTAKES.items():
        done.stdout.fnmatch_lines_random([f">       {line.replace('[', '[[]')}", f"E       *{why}"])
        report = told.partition(f"_ {name} _")[2].partition("\n____")[0]
        assert len(report.splitlines()) < 25 or name == "test_file", report  # pathlib's own lines come with that one


@pytest.mark.parametrize(
    ("marker", "why"),
    [
        ("scenario='omm'", "there is no scenario `omm`: did you mean `oom`?"),
        ("scenario={'timeline': []}", "timeline: "),
        ("scenario='nowhere.yaml'", "No such file or directory"),
        ("clock='per_request', step='5'", "body.clock.step: Input should be a duration, such as 500ms"),
        ("seed='x'", "body.seed: Input should be a valid integer"),
    ],
)
def test_a_marker_whose_values_are_refused_is_one_line(session: Session, marker: str, why: str) -> None:
    test = f"import pytest\n@pytest.mark.lyceum({marker})\ndef test_it(lyceum): pass\n"
    done = session({"test_marked": test})
    done.assert_outcomes(errors=1)
    (told,) = re.findall(r"ERROR at setup of test_it.*\n(.*)\n", done.stdout.str())
    assert told.startswith("test_marked.py::test_it: the emulator cannot begin the test so: ")
    assert why in told
    assert not OURS.search(done.stdout.str())


STRAY = """
import httpx2

def test_before(lyceum):
    httpx2.get(f"{lyceum.base_url}/before")

def test_without(lyceum):
    httpx2.post(f"{lyceum.base_url}/execution/streaming/start", json={"code": "pass"})
    httpx2.get(f"{lyceum.base_url}/user/org", headers={"Authorization": "Bearer secret-of-another-form"})
    httpx2.get(f"{lyceum.url}/user/org")
    assert False

def test_beside(lyceum, lyceum_client):
    for number in range(25):
        httpx2.get(f"{lyceum.base_url}/nowhere/{number}")
    lyceum_client.get("/user/org")
    assert False
"""


def test_a_report_lists_the_requests_of_the_test_that_had_no_good_key(session: Session) -> None:
    done = session({"test_stray": STRAY})
    done.assert_outcomes(passed=1, failed=2)
    told = done.stdout.str()
    without, beside = told.partition("_ test_without _")[2].split("_ test_beside _")
    path = "/api/v2/external"
    assert re.findall(r"^without a good key: .*", without, re.MULTILINE)[:2] == [
        f"without a good key: 401 POST {path}/execution/streaming/start: Not authenticated: send 'Authorization: Bearer"
        " lk_...'",
        f"without a good key: 401 GET {path}/user/org: Invalid API key: an API key begins with `lk_` and has at"
        " least 8 more characters",
    ]
    assert "secret-of-another" not in without.partition("- lyceum requests -")[2]
    assert "/before" not in without
    shown = re.findall(r"^without a good key: 404 GET \S+/nowhere/(\d+)", beside, re.MULTILINE)
    assert shown == [str(number) for number in range(5, 25)]
    assert f"200  GET {path}/user/org" in beside


def test_on_a_server_that_others_use_nobody_is_told_of_their_requests(session: Session) -> None:
    with serving() as server:
        done = session({"test_stray": STRAY}, "--lyceum-url", server.url)
    done.assert_outcomes(passed=1, failed=2)
    assert "the emulated API was asked nothing with this test's key" in done.stdout.str()
    assert "without a good key" not in done.stdout.str()
