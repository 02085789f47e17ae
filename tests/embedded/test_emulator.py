"""The emulator in a thread: its start, its end, and what it leaves behind."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from emulator import ControlRefused, Emulator, EmulatorError, StartError, Unreachable
from tests.process import environment, serving

START = "/execution/streaming/start"


def address(emulator: Emulator) -> tuple[str, int]:
    parts = urlsplit(emulator.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def open_files() -> int:
    """How many this process has, where that can be seen."""
    directory = Path("/proc/self/fd")
    return len(list(directory.iterdir())) if directory.exists() else 0


def test_it_listens_while_it_runs_and_leaves_nothing() -> None:
    threads, files = set(threading.enumerate()), open_files()
    with Emulator() as emulator:
        where = address(emulator)
        assert where[0] == "127.0.0.1"
        with emulator.client() as client:
            assert client.get("/user/quotas/available-hardware").status_code == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=1)
    assert set(threading.enumerate()) == threads
    gc.collect()  # a socket that was forgotten would warn here, and warnings are errors
    assert open_files() == files


def test_it_can_be_started_again_and_meets_the_same_runs() -> None:
    emulator = Emulator()
    ids = []
    for _ in range(2):
        with emulator, emulator.client() as client:
            ids.append(client.post(START, json={"code": "pass"}).json()["execution_id"])
    assert ids[0] == ids[1]


def test_before_the_start_and_after_the_end_it_says_so() -> None:
    emulator = Emulator()
    for _ in range(2):
        with pytest.raises(Unreachable) as refused:
            _ = emulator.clock.now
        assert str(refused.value) == "this emulator is not running: use it inside of its `with` block"
        emulator.start()
        with pytest.raises(EmulatorError, match=r"^this emulator runs already$"):
            emulator.start()
        emulator.stop()
        emulator.stop()


def test_a_tenant_that_outlives_it_is_told() -> None:
    with Emulator() as emulator:
        tenant = emulator.tenant("left over")
        tenant.reset()
        transport = emulator.transport()
    with pytest.raises(Unreachable, match=r"^this emulator was stopped$"):
        tenant.reset()
    with (
        httpx2.Client(transport=transport, base_url="http://emulator.invalid") as client,
        pytest.raises(httpx2.ConnectError, match=r"^this emulator was stopped$"),
    ):
        client.get("/")


def test_a_port_that_is_taken_is_named() -> None:
    with Emulator() as first, pytest.raises(StartError, match=f"port {address(first)[1]}"):
        Emulator(port=address(first)[1]).start()


def test_scenario_files_come_from_its_directories(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("timeline: [{running: 2s}, completed]\n", "utf-8")
    with Emulator(scenarios=[tmp_path], default_scenario="mine") as emulator, emulator.client() as client:
        client.post(START, json={"code": "pass"})
        assert emulator.runs[0].scenario == "mine"


def test_scenario_files_with_mistakes_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("timeline: [{running: 2}, completed]\n", "utf-8")
    with pytest.raises(EmulatorError, match=r"mine\.yaml:1:\d+: timeline\[0\]\.running"):
        Emulator(scenarios=[tmp_path]).start()


def test_without_a_socket_nothing_listens() -> None:
    with Emulator(listen=False) as emulator, emulator.client() as client:
        assert emulator.url == "http://emulator.invalid"
        started = client.post(START, json={"code": "pass"}).json()
        assert started["streaming_url"].startswith("http://emulator.invalid/api/v1/stream/")
        emulator.clock.until(started["execution_id"])
        assert client.get(f"/execution/{started['execution_id']}").json()["status"] == "completed"


def test_callbacks_fire_within_an_advance() -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    called = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as receiver, Emulator(listen=False) as emulator:
        thread = threading.Thread(target=receiver.handle_request)
        thread.start()
        with emulator.client() as client:
            url = f"http://127.0.0.1:{receiver.server_port}/done"
            started = client.post(START, json={"code": "pass", "user_callback_urls": [url]}).json()
        emulator.clock.until(started["execution_id"], "terminal")
        thread.join(10)
        assert len(called) == 1
        assert [each["state"] for each in emulator.run(started["execution_id"]).callbacks] == ["delivered"]


def test_open_streams_end_with_it() -> None:
    with Emulator() as emulator:
        with emulator.client() as client:
            url = client.post(START, json={"code": "pass"}).json()["streaming_url"]
        ended = threading.Event()
        headers = emulator.headers
        follower = threading.Thread(target=_follow, args=(url, headers, emulator.transport(), ended))
        follower.start()
        assert ended.wait(10)
    follower.join(10)
    assert not follower.is_alive()


def _follow(url: str, headers: dict[str, str], transport: httpx2.BaseTransport, begun: threading.Event) -> None:
    with (
        httpx2.Client(transport=transport, headers=headers, timeout=30) as client,
        client.stream("POST", url) as answer,
    ):
        begun.set()
        for _ in answer.iter_bytes():
            pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_is_told_and_may_use_the_url() -> None:
    code = """
import os, sys, urllib.request
from emulator import Emulator, Unreachable

with Emulator() as emulator:
    child = os.fork()
    if child == 0:
        try:
            emulator.clock.advance("5m")
        except Unreachable as refused:
            seen = urllib.request.urlopen(emulator.url + "/_emulator/health", timeout=30).status
            print(refused, seen, flush=True)
            emulator.stop()
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    print(emulator.clock.advance("5m"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == [
        "this emulator runs in the process that started it, and this one was forked off it; start one here, or use"
        " its URL 200",
        "2026-01-01 00:05:00+00:00",
    ], done.stderr


def test_one_that_runs_already_is_used_with_its_control_token() -> None:
    with serving("--control-token", "sesame", "--clock", "real") as server:
        with pytest.raises(ControlRefused) as refused:
            Emulator(url=server.url).start()
        assert (refused.value.status_code, refused.value.detail) == (
            401,
            "This emulator wants its control token in the header X-Emulator-Token",
        )
        ids = []
        for namespace in ("", "", "another"):
            with Emulator(url=server.url, control_token="sesame", namespace=namespace) as emulator:
                assert str(emulator.clock.now) == "2026-01-01 00:00:00+00:00"
                with emulator.client() as client:
                    execution_id = client.post(START, json={"code": "pass"}).json()["execution_id"]
                ids.append((execution_id, emulator.run(execution_id).seed))
                with pytest.raises(Unreachable, match="only its socket leads there"):
                    emulator.transport()
        assert ids[0] == ids[1]
        assert ids[0][0] != ids[2][0]
        assert ids[0][1] == ids[2][1]


def test_where_nothing_runs_it_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable, match=f"^the emulator at http://127.0.0.1:{port} cannot be asked: "):
        Emulator(url=f"http://127.0.0.1:{port}/").start()


def test_importing_the_package_loads_nothing_before_a_name_is_asked_for() -> None:
    code = (
        "import sys, emulator\n"
        "print(sorted(name for name in sys.modules if name.startswith('emulator')))\n"
        "emulator.Emulator\n"
        "print('emulator.embedded' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert done.stdout.splitlines() == ["['emulator']", "True"]
