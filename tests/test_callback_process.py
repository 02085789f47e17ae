"""Callbacks of a server process: how it ends with some under way, and which hosts it was told it may call."""

from __future__ import annotations

import signal
import socket
import time
from typing import Any

from tests.process import Server, serving
from tests.receivers import receiving
from tests.test_serve import call

START = "/api/v2/external/execution/streaming/start"


def start(server: Server, scenario: str, *urls: str) -> str:
    body = {"code": "", "metadata": {"emulator.scenario": scenario}, "user_callback_urls": list(urls)}
    return str(call(server, "POST", START, body)["execution_id"])


def abort(server: Server, run_id: str) -> None:
    call(server, "POST", f"/api/v2/external/workloads/abort/{run_id}")


def stop(server: Server) -> float:
    """Ask the server to stop; returns how many seconds it took to."""
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    return time.monotonic() - began


def told(server: Server) -> list[str]:
    """What was logged about callbacks."""
    return [line.partition("callback")[2] for line in server.logged().splitlines() if "callback" in line]


def test_a_server_that_stops_finishes_what_is_under_way_and_tries_once_more_what_waits() -> None:
    slow, failing = receiving(silent=True), receiving(answers=[503, 204])
    with slow as silent, failing as second, serving("--clock", "manual") as server:
        run_id = start(server, "notebook", f"{silent.url}/slow?token=secret", f"{second.url}/again")
        abort(server, run_id)
        silent.wait_for(1)
        second.wait_for(1)
        _until_recorded(server, run_id)
        took = stop(server)
        assert second.paths == ["/again", "/again"]
        assert 1.9 < took < 5
        assert told(server) == [f" of run {run_id} to {silent.url}/slow?token=*** failed: the server stopped first"]


def test_callbacks_that_can_be_finished_are_and_nothing_is_told_of_them() -> None:
    with receiving() as receiver, serving("--clock", "manual") as server:
        ids = [start(server, "notebook", receiver.url) for _ in range(20)]
        for run_id in ids:
            abort(server, run_id)
        took = stop(server)
        assert sorted(each.body["execution_id"] for each in receiver.received) == sorted(ids)
        assert told(server) == []
        assert took < 3


def test_a_server_that_owes_nothing_yet_stops_at_once() -> None:
    with receiving() as receiver, serving("--clock", "manual") as server:
        start(server, "notebook", receiver.url)
        assert stop(server) < 1.5
        assert (receiver.received, told(server)) == ([], [])


def test_an_advance_that_waits_for_silent_receivers_does_not_hold_up_the_stop() -> None:
    with receiving(silent=True) as silent, serving("--clock", "manual") as server:
        for _ in range(200):
            start(server, "completed", silent.url)
        advance = b'{"by": "1h"}'
        with socket.create_connection(("127.0.0.1", server.port)) as waiting:
            waiting.sendall(
                b"POST /_emulator/clock/advance HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(advance), advance)
            )
            silent.wait_for(2)
            assert stop(server) < 5
        lines = told(server)
        assert len(lines) == 101
        assert lines[-1].endswith("s were not delivered: the server stopped first")


def test_the_emulator_is_never_called_by_itself() -> None:
    with serving("--clock", "manual", "--callback-host", "*") as server:
        urls = [f"http://{host}:{server.port}/_emulator/reset" for host in ("127.0.0.1", "localhost", "127.1")]
        run_id = start(server, "notebook", *urls)
        abort(server, run_id)
        shown = _until_recorded(server, run_id)
        assert [(each["state"], each["detail"]) for each in shown] == [("refused", "it is the emulator itself")] * 3


def test_a_pattern_opens_the_way_to_a_host() -> None:
    own = _address_of_this_machine()
    with receiving(own) as receiver:
        for options, state in (((), "refused"), (("--callback-host", own), "delivered")):
            with serving("--clock", "manual", *options) as server:
                run_id = start(server, "completed", receiver.url)
                call(server, "POST", "/_emulator/clock/advance", {"execution_id": run_id, "until": "terminal"})
                shown = call(server, "GET", f"/_emulator/runs/{run_id}")["callbacks"]
                assert [each["state"] for each in shown] == [state]
        assert len(receiver.received) == 1


def _until_recorded(server: Server, run_id: str) -> list[dict[str, Any]]:
    """The run's callbacks, once something was recorded about each of them."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        shown: list[dict[str, Any]] = call(server, "GET", f"/_emulator/runs/{run_id}")["callbacks"]
        if all(each["attempts"] or each["detail"] for each in shown):
            return shown
    raise AssertionError("nothing was recorded")


def _address_of_this_machine() -> str:
    """Its address in a network, if it is in one; else one more of loopback, which needs no permission."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])
