"""The plugin's fixtures, marker and reports, in sessions of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.conftest import ALONE, Session
from tests.process import environment, serving

SUBMIT = """
def submit(client, **body):
    answer = client.post("/execution/streaming/start", json={"code": "pass"} | body)
    return answer.json()["execution_id"]
"""


def test_a_session_that_does_not_use_it_loads_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_nothing():
            print(sorted(name for name in sys.modules if name.partition(".")[0] == "emulator"))
        """
    )
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pytest", "-q", "-s", *ALONE],
        capture_output=True,
        text=True,
        check=True,
        cwd=pytester.path,
        env=environment(),
    )
    assert "['emulator', 'emulator.pytest_plugin']" in done.stdout
    timed = set(re.findall(r"^import time:.*\| +(emulator\S*)$", done.stderr, re.MULTILINE))
    assert timed <= {"emulator", "emulator.pytest_plugin"}
    assert "import time:" in done.stderr


def test_fixtures_and_marker_are_explained(pytester: pytest.Pytester) -> None:
    told = pytester.runpytest_inprocess("--fixtures", *ALONE).stdout.str()
    for name in ("lyceum", "lyceum_client", "lyceum_async_client", "lyceum_asgi_client", "lyceum_server"):
        found = re.search(rf"^{name}( \[session scope\])? -- .*\n( {{4}}.*\n)+", told, re.MULTILINE)
        assert found, name
        assert "no docstring" not in found[0]
    markers = pytester.runpytest_inprocess("--markers", *ALONE).stdout.str()
    (explained,) = re.findall(r"@pytest\.mark\.lyceum\((.*?)\): ", markers)
    for argument in re.findall(r"(\w+)=", explained):
        assert re.search(rf"\b{argument}\b", markers.partition(explained)[2].partition("\n\n")[0]), argument
    options = pytester.runpytest_inprocess("--help", *ALONE).stdout.str()
    manual = (Path(__file__).parents[2] / "docs" / "pytest.md").read_text("utf-8")
    names = set(re.findall(r"(--lyceum-[a-z-]+|lyceum_[a-z_]+(?= \())", options))
    assert len(names) == 9
    assert {name for name in names if name not in manual} == set()


def test_a_test_has_a_tenant_of_its_own(session: Session) -> None:
    done = session(
        {
            "test_own": SUBMIT
            + """
import json, os, subprocess, sys
seen = []

def test_one(lyceum, lyceum_client, lyceum_server):
    lyceum.scenario("failed", times=9)
    lyceum.clock.advance("1h")
    seen.append((lyceum.run(submit(lyceum_client)), lyceum.api_key, lyceum.url))
    assert lyceum.url == lyceum_server.url
    assert str(lyceum_client.base_url).rstrip("/") == lyceum.base_url

def test_two(lyceum, lyceum_client):
    run = lyceum.run(submit(lyceum_client))
    assert (run.scenario, run.submitted_at.hour) == ("completed", 0)
    assert (len(lyceum.runs), len(lyceum.requests())) == (1, 1)
    assert lyceum.api_key != seen[0][1] and lyceum.url == seen[0][2]

def test_subprocess(lyceum):
    code = "import os, json; print(json.dumps([os.environ[n] for n in ('LYCEUM_BASE_URL', 'LYCEUM_API_KEY')]))"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | lyceum.env, capture_output=True, check=True)
    assert json.loads(done.stdout) == [lyceum.base_url, lyceum.api_key]
    assert "lyceum-home" in lyceum.env["HOME"]
"""
        }
    )
    done.assert_outcomes(passed=3)


def test_the_same_test_sees_the_same_runs(session: Session, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    files = {
        "test_same": SUBMIT
        + f"""
def test_it(lyceum, lyceum_client):
    lyceum.scenario("oom")
    run = lyceum.run(submit(lyceum_client))
    with open({str(seen)!r}, "a") as file:
        print(run.execution_id, run.seed, run.script, file=file)
"""
    }
    for _ in range(2):
        session(files).assert_outcomes(passed=1)
    with serving("--clock", "real") as server:
        session(files, "--lyceum-url", server.url).assert_outcomes(passed=1)
        session(files, "--lyceum-url", server.url, "--lyceum-namespace", "b").assert_outcomes(passed=1)
    lines = seen.read_text("utf-8").splitlines()
    assert lines[0] == lines[1] == lines[2]
    assert lines[3].split(" ", 1)[0] != lines[0].split(" ", 1)[0]  # the id
    assert lines[3].split(" ", 1)[1] == lines[0].split(" ", 1)[1]


def test_the_marker_says_how_the_tenant_begins(session: Session) -> None:
    done = session(
        {
            "test_marked": SUBMIT
            + """
import pytest
pytestmark = pytest.mark.lyceum(scenario="failed", seed=7)
seeds = []

@pytest.mark.lyceum(clock="per_request", step="10s")
def test_near_and_far(lyceum, lyceum_client):
    seeds.append([lyceum.run(submit(lyceum_client)).seed for _ in range(2)])
    lyceum.scenario("oom")
    submit(lyceum_client)
    assert [run.scenario for run in lyceum.runs] == ["failed", "failed", "oom"]
    assert lyceum.clock.now.second == 30

@pytest.mark.lyceum(scenario={"timeline": [{"running": "2s"}, "completed"]})
def test_nearest_counts(lyceum, lyceum_client):
    seeds.append([lyceum.run(submit(lyceum_client)).seed for _ in range(2)])
    assert lyceum.runs[0].script.stages[-1].duration_s == 2
    assert seeds[0] == seeds[1]

@pytest.mark.lyceum(clock="sundial")
def test_no_such_clock(lyceum): pass

@pytest.mark.lyceum(scenari="oom")
def test_no_such_argument(lyceum): pass
"""
        }
    )
    done.assert_outcomes(passed=2, errors=2)
    done.stdout.fnmatch_lines(
        [
            "*::test_no_such_clock: the marker's clock is 'manual', 'per_request' or 'real', and not 'sundial'",
            "*::test_no_such_argument: the marker lyceum does not know `scenari`; it is lyceum(scenario=None, *",
        ]
    )


def test_who_breaks_the_contract_fails_at_the_end(session: Session) -> None:
    files = {
        "test_contract": """
import pytest
def bad(client, **body): client.post("/execution/streaming/start", json={"code": 3} | body)

def test_breaks(lyceum_client): bad(lyceum_client); bad(lyceum_client, timeout="x")
def test_fails_anyhow(lyceum_client): bad(lyceum_client); assert "this" == "that"
def test_keeps(lyceum_client): lyceum_client.get("/user/org")
def test_needs_no_tenant(): pass
@pytest.mark.xfail(strict=True)
def test_is_known_to_break(lyceum_client): bad(lyceum_client)
@pytest.mark.lyceum(fail_on_violations=False)
def test_may_break(lyceum_client): bad(lyceum_client)
@pytest.mark.lyceum(fail_on_violations=True)
def test_may_not_break(lyceum_client): bad(lyceum_client)
def test_goes_beyond(lyceum_client): lyceum_client.get("/user/org?unheard=1")
@pytest.mark.lyceum(strict=True)
def test_goes_beyond_strictly(lyceum_client): lyceum_client.get("/user/org?unheard=1")
"""
    }
    done = session(files, "-rf")
    done.assert_outcomes(passed=4, failed=4, xfailed=1)
    told = done.stdout.str()
    assert "the client broke the contract 3 times:\n  POST /api/v2/external/execution/streaming/start" in told
    assert re.search(r"GET /api/v2/external/user/org \(\w+\) -> 200: query.unheard: not in the contract of", told)
    assert "assert 'this' == 'that'" in told
    done = session(files, "-rf", "-o", "lyceum_fail_on_violations=false", "-o", "xfail_strict=false")
    done.assert_outcomes(passed=6, failed=3)
    names = set(re.findall(r"^FAILED test_contract.py::(\w+)", done.stdout.str(), re.MULTILINE))
    assert names == {"test_fails_anyhow", "test_may_not_break", "test_is_known_to_break"}


def test_a_failed_test_tells_what_the_emulator_saw(session: Session, pytester: pytest.Pytester) -> None:
    done = session(
        {
            "test_fails": SUBMIT
            + """
import pytest

@pytest.fixture
def broken_end(lyceum_client):
    yield
    lyceum_client.get("/workloads/list")
    raise OSError("no end")

@pytest.fixture
def broken_start(lyceum_client):
    lyceum_client.get("/billing/history")
    raise OSError("no start")

def test_in_the_test(lyceum, lyceum_client):
    for _ in range(30): lyceum_client.get("/user/org")
    execution_id = submit(lyceum_client, code="x" * 9999, environment_variables={"PASSWORD": "hun" + "ter2"})
    lyceum.clock.until(execution_id)
    assert False

def test_at_its_start(broken_start): pass
def test_at_its_end(broken_end): pass
def test_without_requests(lyceum): assert False
def test_that_passes(lyceum_client): submit(lyceum_client)
"""
        },
        "--lyceum-artifacts",
        "seen",
    )
    done.assert_outcomes(passed=2, failed=2, errors=2)
    told = done.stdout.str()
    assert "(the last 20 of 31)" in told
    assert "hunter2" not in told
    assert "x" * 400 not in told.partition("- lyceum requests -")[2].partition("- lyceum runs -")[0]
    done.stdout.fnmatch_lines(
        ["*python on gpu.*: completed", "*scenario completed, by default: *", "*:06.000Z  completed"]
    )
    assert re.search(r"ERROR at setup.*\n(.*\n)*?.*GET /api/v2/external/billing/history", told)
    assert re.search(r"ERROR at teardown.*\n(.*\n)*?.*GET /api/v2/external/workloads/list", told)
    assert "the emulated API was asked nothing with this test's key" in told
    written = sorted((pytester.path / "seen").iterdir())
    assert [re.sub(r"-[0-9a-f]{8}-", "-", path.name) for path in written] == [
        "test_fails.py-test_at_its_end-teardown.json",
        "test_fails.py-test_at_its_start-setup.json",
        "test_fails.py-test_in_the_test-call.json",
        "test_fails.py-test_without_requests-call.json",
    ]
    artifact = json.loads(written[2].read_text("utf-8"))
    assert (artifact["test"], artifact["when"]) == ("test_fails.py::test_in_the_test", "call")
    assert artifact["runs"]["runs"][0]["status"] == "completed"
    assert artifact["requests"]["total"] == 31
    assert "assert False" in artifact["failure"]
    assert "hunter2" not in written[2].read_text("utf-8")


def test_a_report_tells_what_was_asked_for_and_never_came(session: Session) -> None:
    done = session(
        {
            "test_waits": SUBMIT
            + """
def test_in_vain(lyceum, lyceum_client):
    lyceum.scenario("oom", match={"file_name": "big.py"})
    lyceum.scenario("failed")
    lyceum.control("POST", "/queue", {"scenario": "hang", "times": 2, "match": {"file_name": "huge.py"}})
    lyceum.fault("unavailable", operation="get_execution", times=2)
    lyceum.fault("unavailable", operation="get_user_org", times=1)
    submit(lyceum_client, user_callback_urls=["http://192.0.2.1/told?key=" + "hidden"])
    lyceum.clock.advance("1h")
    assert lyceum_client.get("/user/org").status_code == 503
    assert False
"""
        }
    )
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*callback http://192.0.2.1/told[?]key=[*][*][*]: refused, *",
            "*- lyceum, asked for and not met -*",
            'scenario oom: waits for a submission with {"file_name": "big.py"}',
            'scenario hang: waits for 2 submissions with {"file_name": "huge.py"}',
            "fault-1, *: fitted 0 requests, hit 0; it was to hit 2 more",
        ]
    )
    told = done.stdout.str()
    assert not re.search(r"^(fault-2|scenario failed: waits)", told, re.MULTILINE)


def test_a_report_says_so_where_the_emulator_is_gone(session: Session) -> None:
    done = session(
        {
            "test_gone": """
def test_gone(lyceum, lyceum_server):
    lyceum_server.stop()
    assert False
"""
        },
        "--lyceum-artifacts",
        "/dev/null/no/directory",
    )
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["the emulator could not be asked: this emulator was stopped", "could not be written: *Not a directory*"]
    )


def test_scenario_directories_and_no_socket_by_ini(session: Session, pytester: pytest.Pytester) -> None:
    pytester.mkdir("mine").joinpath("night.yaml").write_text("timeline: [{running: 8h}, completed]\n", "utf-8")
    pytester.makeini("[pytest]\nlyceum_scenarios = mine\nlyceum_socket = false\n")
    done = session(
        {
            "test_ini": SUBMIT
            + """
import pytest
@pytest.mark.lyceum(scenario="night")
def test_it(lyceum, lyceum_client):
    assert lyceum.url == "http://emulator.invalid"
    assert lyceum.run(submit(lyceum_client)).script.stages[-1].duration_s == 8 * 3600
@pytest.mark.anyio
async def test_async(lyceum, lyceum_async_client):
    assert (await lyceum_async_client.get("/user/org")).status_code == 200
"""
        }
    )
    done.assert_outcomes(passed=3)


def test_it_works_beside_the_plugins_for_async_tests(session: Session) -> None:
    files = {
        "test_async": """
import asyncio
import pytest

async def life(lyceum, *clients):
    for client in clients:
        started = (await client.post("/execution/streaming/start", json={"code": "pass"})).json()
        await lyceum.clock.until_async(started["execution_id"], "running")
        lyceum.clock.until(started["execution_id"])
        async with client.stream("POST", started["streaming_url"]) as stream:
            assert "jobFinished" in [line async for line in stream.aiter_lines() if line][-1]

@pytest.mark.asyncio
async def test_asyncio(lyceum, lyceum_async_client, lyceum_asgi_client):
    await life(lyceum, lyceum_async_client, lyceum_asgi_client)

@pytest.mark.anyio
async def test_anyio(lyceum, lyceum_async_client, lyceum_asgi_client):
    await life(lyceum, lyceum_async_client, lyceum_asgi_client)

@pytest.mark.asyncio
async def test_breaks(lyceum_asgi_client):
    await lyceum_asgi_client.post("/execution/streaming/start", json={"code": 3})
"""
    }
    done = session(files, "-o", "asyncio_default_fixture_loop_scope=function", "-rf", plugins=())
    done.assert_outcomes(passed=3, failed=1)  # anyio's twice: in asyncio and in trio
    done.stdout.fnmatch_lines(["FAILED test_async.py::test_breaks - Failed: the client broke the contract once:"])


def test_a_server_that_ends_before_the_session_does_no_harm(session: Session) -> None:
    conftest = """
from emulator import Emulator
server = Emulator()
def pytest_configure(config):
    config.option.lyceum_url = server.start().url
def pytest_sessionfinish():
    server.stop()
"""
    done = session({"conftest": conftest, "test_it": "def test_it(lyceum): assert lyceum.runs == ()\n"})
    done.assert_outcomes(passed=1)
    assert (done.ret, "Unreachable" in done.stderr.str()) == (0, False)


def test_workers_that_run_the_same_tests_on_one_server_have_tenants_of_their_own(session: Session) -> None:
    test = "def test_it(lyceum, worker_id):\n    print(f'worker {worker_id} has {lyceum.api_key}')\n"
    with serving() as server:
        done = session({"test_each": test}, "--lyceum-url", server.url, "-n", "2", "--dist", "each", "-rP")
    done.assert_outcomes(passed=2)
    keys = dict(re.findall(r"worker (gw\d) has (\w+)", done.stdout.str()))
    assert keys.keys() == {"gw0", "gw1"}
    assert keys["gw0"] != keys["gw1"]


def test_a_server_that_wants_a_token_and_workers_that_share_it(session: Session) -> None:
    files = {
        "test_shared": SUBMIT
        + """
import pytest
@pytest.mark.parametrize("number", range(8))
def test_it(lyceum, lyceum_client, number):
    lyceum.scenario("failed", times=number + 1)
    for _ in range(number): submit(lyceum_client)
    assert len(lyceum.runs) == number
"""
    }
    with serving("--control-token", "sesame") as server:
        done = session(files, "--lyceum-url", server.url)
        done.assert_outcomes(errors=8)
        done.stdout.fnmatch_lines(["E *wants its control token in the header X-Emulator-Token"])
        arguments = ("--lyceum-url", server.url, "--lyceum-control-token", "sesame")
        session(files, *arguments, "-n", "2", "--dist", "each").assert_outcomes(passed=16)
