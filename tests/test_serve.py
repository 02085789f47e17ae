"""The command `lyceum-emulator serve`: how it starts, what it says, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from emulator.app import create_service
from emulator.cli.greeting import greeting
from tests.process import Server, refused, serving

KEY = "lk_tests_own_key"


def _speaks_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
    except OSError:  # as in many containers
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _speaks_ipv6(), reason="this machine has no IPv6")


def call(server: Server, method: str, path: str, body: object = None, key: str | None = KEY) -> Any:
    """The JSON answer of a call that has to succeed."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def start(server: Server, scenario: str) -> str:
    body = {"code": "", "metadata": {"emulator.scenario": scenario}}
    started = call(server, "POST", "/api/v2/external/execution/streaming/start", body)
    return str(started["execution_id"])


def open_stream(server: Server, run_id: str) -> socket.socket:
    """A connection that has asked for a run's output and has read nothing of it."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(f"POST /api/v1/stream/{run_id} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    return connection


def test_it_prints_where_it_is_how_to_point_the_client_at_it_and_its_scenarios(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("timeline: [running: 1s, completed]\n", encoding="utf-8")
    with serving("--scenarios", tmp_path, "--scenario", "mine", "--clock", "manual") as server:
        assert server.process.stdout is not None
        rest = [server.process.stdout.readline().split(":", 1) for _ in range(3)]
    printed = {name.strip(): text.strip() for name, text in rest}
    assert printed["official client"] == (f"lyceum auth login --url {server.url} --api-key lk_local_development")
    assert printed["scenarios"].startswith("mine (default), ")
    assert "oom" in printed["scenarios"]
    assert printed["clock"].startswith("manual")


def test_options_can_come_from_variables() -> None:
    variables = {"LYCEUM_EMULATOR_CLOCK": "manual", "LYCEUM_EMULATOR_NOW": "2027-03-01T00:00:00Z"}
    with serving(**variables, LYCEUM_EMULATOR_API_KEY="lk_only_this_one") as server:
        clock = call(server, "GET", "/_emulator/clock", key=None)
        assert (clock["mode"], clock["now"]) == ("manual", "2027-03-01T00:00:00.000Z")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            call(server, "GET", "/api/v2/external/user/org")
        assert call(server, "GET", "/api/v2/external/user/org", key="lk_only_this_one")["is_personal"] is True


def test_a_real_clock_runs_as_fast_as_it_is_told() -> None:
    with serving("--speed", "100000", "--scenario", "long-queue") as server:
        run_id = start(server, "long-queue")
        with open_stream(server, run_id) as connection, connection.makefile("rb") as answer:
            assert b'"returnCode": 0' in answer.read(1 << 20).partition(b"jobFinished")[2]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_whoever_is_connected(sent: signal.Signals) -> None:
    with serving("--clock", "manual") as server:
        waiting = open_stream(server, start(server, "notebook"))
        chatty = start(server, "chatty")
        call(server, "POST", "/_emulator/clock/advance", {"execution_id": chatty, "until": "terminal"})
        stalled = open_stream(server, chatty)
        idle = socket.create_connection(("127.0.0.1", server.port))
        waiting.recv(16)  # its headers: by now all three are being served
        server.process.send_signal(sent)
        # Half a second where nothing else is going on; none of the three would ever end by itself.
        assert server.process.wait(5) == 0
        for connection in (waiting, stalled, idle):
            connection.close()


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused("--port", str(port))
    assert code == 2
    assert said == (
        f"lyceum-emulator: cannot listen on 127.0.0.1 port {port}: Address already in use;"
        " choose another with --port, or 0 for any free one\n"
    )


def test_an_invalid_scenario_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("timeline:\n  - running: 5\n  - complete\n", encoding="utf-8")
    code, said = refused("--scenarios", tmp_path)
    assert code == 2
    assert f"{file}:2:14: timeline[0].running:" in said
    assert f"{file}:3:5: timeline[1]" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--scenarios", "/nowhere/at/all"), "cannot read the scenarios in /nowhere/at/all"),
        (("--scenario", "complete"), "did you mean `completed`"),
        (("--host", "no.such.host.invalid"), "cannot listen on no.such.host.invalid"),
        (("--clock", "fast"), "'fast' is not one of 'real', 'manual', 'per-request'"),
        (("--speed", "0"), "0.0 is not in the range"),
        (("--step", "5"), "'5' is not a duration above zero such as 5s"),
        (("--now", "today"), "'today' is not a time such as 2026-01-01T00:00:00Z"),
        (("--port", "70000"), "70000 is not in the range"),
    ],
)
def test_what_cannot_be_is_refused_with_exit_code_2(arguments: tuple[str, ...], words: str) -> None:
    code, said = refused(*arguments)
    assert code == 2
    assert words in said
    assert "Traceback" not in said


def test_bound_to_more_than_loopback_the_control_api_wants_a_token() -> None:
    with serving("--host", "0.0.0.0") as server:
        assert server.process.stdout is not None
        lines = [server.process.stdout.readline() for _ in range(4)]
        token = lines[3].split(":")[1].split()[0]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            call(server, "GET", "/_emulator/runs", key=None)
        request = urllib.request.Request(f"{server.url}/_emulator/runs", headers={"X-Emulator-Token": token})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer) == {"runs": [], "total": 0}


@pytest.mark.parametrize("spelt", ["per-request", "per_request"])
def test_the_clock_may_be_named_as_the_control_api_names_it(spelt: str) -> None:
    with serving("--clock", spelt) as server:
        assert call(server, "GET", "/_emulator/clock")["mode"] == "per_request"


@pytest.mark.parametrize("host", ["0.0.0.0", pytest.param("::", marks=needs_ipv6)])
def test_bound_to_all_addresses_it_prints_one_that_clients_can_use(host: str) -> None:
    with serving("--host", host) as server:
        assert server.process.stdout is not None
        rest = [server.process.stdout.readline().split(":", 1) for _ in range(5)]
        told = {label.strip(): text.strip() for label, text in rest}
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert told["official client"].startswith(f"lyceum auth login --url {server.url} ")
        assert told["listens on"] == f"all addresses of this machine ({host}), port {server.port}"
        assert call(server, "GET", "/api/v2/external/user/org")["is_personal"] is True


def test_on_one_address_nothing_is_said_of_others() -> None:
    with serving() as server:
        server.process.terminate()
        assert server.process.stdout is not None
        assert "listens on" not in server.process.stdout.read()


@needs_ipv6
def test_where_ipv6_is_alone_the_address_printed_is_its_own() -> None:
    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(("::", 0))
        port = listener.getsockname()[1]
        first = greeting(listener, create_service(), None).splitlines()[0]
    assert first == f"Lyceum emulator at http://[::1]:{port}"


def test_a_variable_that_nothing_reads_is_told_with_the_one_that_was_meant() -> None:
    variables = {"LYCEUM_EMULATOR_PROT": "9000", "LYCEUM_EMULATOR_ZZZ": "secret", "LYCEUM_EMULATOR_SPEED": "2"}
    with serving(**variables, LYCEUM_EMULATOR_CONTROL_TOKEN="known-to-others-too") as server:
        told = [line.partition("WARNING ")[2] for line in server.logged().splitlines()]
    assert told == [
        "emulator.cli.serve: no command reads the variable LYCEUM_EMULATOR_PROT; did you mean LYCEUM_EMULATOR_PORT?",
        "emulator.cli.serve: no command reads the variable LYCEUM_EMULATOR_ZZZ",
    ]


def test_a_json_log_tells_it_as_json() -> None:
    with serving("--log-format", "json", LYCEUM_EMULATOR_PROT="9000") as server:
        (line,) = server.logged().splitlines()
    assert "LYCEUM_EMULATOR_PROT" in json.loads(line)["message"]
