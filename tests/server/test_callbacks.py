"""Callbacks from a client's side: when they come, what they say, and that nothing of their trouble shows there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app, create_service
from emulator.clock import ClockMode, ClockSettings
from emulator.contract.document import load_document
from emulator.contract.validation import SchemaValidator
from emulator.resources import CONTRACT_FILE
from emulator.server import courier, lanes
from emulator.server.settings import CallbackSettings, Settings
from tests.api import KEY, Api, emulator
from tests.receivers import PATIENCE_S, Receiver, receiving

QUICK = (0.01, 0.02, 0.04)
PER_REQUEST = ClockSettings(ClockMode.PER_REQUEST)


@contextmanager
def emulating(clock: ClockSettings | None = None, **settings: Any) -> Iterator[Api]:
    """An emulator with one event loop for all requests, as a server has, whose retries do not take long."""
    callbacks = CallbackSettings(**({"retries_s": QUICK} | settings))
    api = emulator(Settings(callbacks=callbacks), **({} if clock is None else {"clock": clock}))
    with api.http:
        yield api


@pytest.fixture
def api() -> Iterator[Api]:
    with emulating() as one:
        yield one


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def scenario(api: Api, name: str, text: str) -> str:
    answer = api.request(
        "PUT", f"/_emulator/scenarios/{name}", content=text, headers={"Content-Type": "application/yaml"}
    )
    assert answer.status_code in (200, 201), answer.text
    return name


def run_for(api: Api, seconds: int, *urls: str, more: str = "") -> str:
    """A run that ends after so many seconds."""
    name = scenario(api, f"for-{seconds}", f"timeout: ignore\ntimeline: [running: {seconds}s]\n{more}")
    return api.start(name, user_callback_urls=list(urls))


def callbacks(api: Api, run_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.control("GET", f"/runs/{run_id}")["callbacks"]
    return found


def states(api: Api, run_id: str) -> list[tuple[str, list[int | str]]]:
    """State and outcome of each attempt, of all callbacks of a run."""
    return [
        (each["state"], [attempt["status_code"] or attempt["error"] for attempt in each["attempts"]])
        for each in callbacks(api, run_id)
    ]


def eventually(found: Callable[[], object], expected: object) -> None:
    limit = time.monotonic() + PATIENCE_S
    while (last := found()) != expected:
        assert time.monotonic() < limit, last


# When they come.


def test_an_advance_answers_after_what_fell_due_was_delivered_in_its_order(api: Api, receiver: Receiver) -> None:
    run_for(api, 30, f"{receiver.url}/30b", f"{receiver.url}/30a")
    run_for(api, 10, f"{receiver.url}/10")
    run_for(api, 60, f"{receiver.url}/60")
    run_for(api, 20, f"{receiver.url}/20", more="callbacks: {delay: 5s}")
    api.advance(by="9999ms")
    assert receiver.paths == []
    api.advance(by="1ms")
    assert receiver.paths == ["/10"]
    api.advance(by="20s")
    assert receiver.paths == ["/10", "/20", "/30b", "/30a"]
    api.control("PATCH", "/clock", {"now": "2026-01-01T00:01:00Z"})
    assert receiver.paths[4:] == ["/60"]


def test_moving_the_servers_clock_delivers_for_all_who_follow_it_in_order(api: Api, receiver: Receiver) -> None:
    own, other = api.as_caller("lk_has_a_clock_of_its_own"), api.as_caller("lk_some_other_key")
    own.advance(by="1s")
    run_for(own, 5, f"{receiver.url}/own")
    run_for(api, 20, f"{receiver.url}/20")
    run_for(other, 10, f"{receiver.url}/10")
    api.as_caller(None).advance(by="1m")
    assert receiver.paths == ["/10", "/20"]
    own.advance(by="1m")
    assert receiver.paths == ["/10", "/20", "/own"]


def test_a_command_brings_the_end_and_with_it_the_callback(api: Api, receiver: Receiver) -> None:
    run_id = api.start("notebook", user_callback_urls=[receiver.url])
    assert callbacks(api, run_id) == [
        {"url": receiver.url, "due_at": None, "state": "waiting", "detail": None, "attempts": []}
    ]
    api.post(f"/workloads/abort/{run_id}")
    (received,) = receiver.wait_for(1)
    assert (received.body["execution_id"], received.body["status"]) == (run_id, "aborted")
    api.advance(by="2h")
    assert len(receiver.received) == 1


def test_under_the_per_request_clock_requests_bring_it_about_and_the_courier_moves_nothing(receiver: Receiver) -> None:
    with emulating(PER_REQUEST) as api:
        run_id = api.start(user_callback_urls=[receiver.url])  # six seconds, and five a request
        assert callbacks(api, run_id)[0]["state"] == "waiting"
        api.record(run_id)
        receiver.wait_for(1)
        eventually(lambda: states(api, run_id), [("delivered", [204])])
        assert api.control("GET", "/clock")["now"] == "2026-01-01T00:00:10.000Z"


def test_under_the_real_clock_it_comes_by_itself(receiver: Receiver) -> None:
    with emulating(ClockSettings(ClockMode.REAL, speed=100.0)) as api:
        run_id = api.start(user_callback_urls=[receiver.url])
        (received,) = receiver.wait_for(1)
        assert received.body["execution_id"] == run_id
        assert api.record(run_id)["status"] == "completed"


def test_nothing_waits_where_nothing_is_owed(receiver: Receiver) -> None:
    service = create_service(Settings(self_check=True), clock=ClockSettings(ClockMode.MANUAL))
    assert service.self_check is not None
    api, bell = Api(TestClient(create_app(service)), service.self_check), service.cloud.clock.bell
    with api.http:
        api.start()
        api.control("GET", "/clock")
        assert bell.waiting == 0
        run_for(api, 5, receiver.url)
        api.control("GET", "/clock")
        assert bell.waiting == 1
        api.advance(by="5s")
        api.control("GET", "/clock")
        assert bell.waiting == 0
        run_for(api, 60, receiver.url)
        api.control("POST", "/reset")
        api.control("GET", "/clock")
        assert bell.waiting == 0


# What they say.


def test_the_payload_is_what_the_record_says_and_what_the_contract_promises(api: Api, receiver: Receiver) -> None:
    body = {"file_name": "train.py", "run_name": "nightly", "labels": ["a"], "metadata": {"team": "vision"}}
    ids = [
        api.start(name, user_callback_urls=[receiver.url], **body) for name in ("oom", "system-failure", "completed")
    ]
    api.advance(by="5h")
    document = load_document(CONTRACT_FILE)
    validator = SchemaValidator(document, document["components"]["schemas"]["Completion"])
    assert sorted(each.body["execution_id"] for each in receiver.received) == sorted(ids)
    for each in receiver.received:
        assert list(validator.problems(each.body, ())) == []
        record = api.record(each.body["execution_id"])
        assert each.body == {name: record[name] for name in each.body}
        assert each.body.keys() == set(document["components"]["schemas"]["Completion"]["properties"])


def test_the_headers_are_few(api: Api, receiver: Receiver) -> None:
    run_for(api, 1, receiver.url.replace("//", "//user:secret@") + "/path?a=b#c")
    api.advance(by="1s")
    (received,) = receiver.received
    assert received.path == "/path?a=b"
    assert received.headers == {
        "Host": receiver.url.removeprefix("http://"),
        "Content-Type": "application/json",
        "User-Agent": received.headers["User-Agent"],
        "Content-Length": received.headers["Content-Length"],
    }
    assert received.headers["User-Agent"].startswith("lyceum-emulator/")


def test_a_scenario_may_ask_for_duplicates_and_for_none(api: Api, receiver: Receiver) -> None:
    twice = run_for(api, 5, f"{receiver.url}/a", f"{receiver.url}/b", more="callbacks: {times: 2, delay: 1s..9s}")
    never = run_for(api, 6, f"{receiver.url}/never", more="callbacks: none")
    api.advance(by="1m")
    assert receiver.paths == ["/a", "/b", "/a", "/b"]
    assert [state for state, _ in states(api, twice)] == ["delivered"] * 4
    assert callbacks(api, never) == []


# What goes wrong.


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([503, 500, 429, 200], ("delivered", [503, 500, 429, 200])),
        ([503], ("failed", [503] * 4)),
        ([404], ("failed", [404])),
        ([302], ("failed", [302])),
        ([201], ("delivered", [201])),
    ],
)
def test_server_errors_are_repeated_three_times_and_other_answers_are_final(
    api: Api, receiver: Receiver, answers: list[int], outcome: tuple[str, list[int]]
) -> None:
    receiver.answers = answers
    run_id = run_for(api, 1, receiver.url)
    api.advance(by="1s")
    eventually(lambda: states(api, run_id), [outcome])
    assert len(receiver.received) == len(outcome[1])


def test_a_snapshot_bears_whatever_status_code_a_receiver_made_up(api: Api, receiver: Receiver) -> None:
    receiver.answers = [799]
    run_id = run_for(api, 1, receiver.url)
    api.advance(by="1s")
    eventually(lambda: states(api, run_id), [("failed", [799] * 4)])
    api.control("PUT", "/snapshot", api.control("GET", "/snapshot"))
    assert states(api, run_id) == [("failed", [799] * 4)]


def test_an_advance_waits_for_the_first_attempt_alone(receiver: Receiver) -> None:
    receiver.answers = [503]
    with emulating(retries_s=(3_600.0,)) as api:
        run_id = run_for(api, 1, receiver.url)
        api.advance(by="1s")
        assert states(api, run_id) == [("waiting", [503])]


def test_retries_come_later_each_time(receiver: Receiver) -> None:
    receiver.answers = [503]
    with emulating(retries_s=(0.1, 0.2, 0.4)) as api:
        run_for(api, 1, receiver.url)
        api.advance(by="1s")
        at = [each.at for each in receiver.wait_for(4)]
    gaps = [after - before for before, after in pairwise(at)]
    assert [gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=True)] == [True] * 3


def test_where_nothing_listens_the_connection_is_tried_again(api: Api, receiver: Receiver) -> None:
    with receiving() as gone:
        pass
    run_id = run_for(api, 1, gone.url, receiver.url)
    api.advance(by="1s")
    trouble = "nothing can be connected to there"
    eventually(lambda: states(api, run_id), [("failed", [trouble] * 4), ("delivered", [204])])
    assert callbacks(api, run_id)[0]["detail"] == f"{trouble}, 4 times"


def test_a_redirect_is_not_followed(api: Api, receiver: Receiver) -> None:
    with receiving(answers=[307], headers={"Location": f"{receiver.url}/elsewhere"}) as first:
        run_id = run_for(api, 1, first.url)
        api.advance(by="1s")
        assert states(api, run_id) == [("failed", [307])]
    assert receiver.received == []


@pytest.mark.parametrize("endless", [False, True])
def test_of_a_huge_or_endless_answer_little_is_read(endless: bool) -> None:
    with receiving(answers=[200], body=b"x" * (50 << 20), endless=endless) as receiver, emulating() as api:
        run_id = run_for(api, 1, receiver.url)
        api.advance(by="1s")
        assert states(api, run_id) == [("delivered", [200])]


def test_a_receiver_that_says_nothing_is_given_up_after_the_limit() -> None:
    with receiving(silent=True) as receiver, emulating(limit_s=0.1, retries_s=(0.01,)) as api:
        run_id = run_for(api, 1, receiver.url)
        api.advance(by="1s")
        eventually(lambda: states(api, run_id), [("failed", ["no answer within 0.1s"] * 2)])


def test_an_answer_that_is_not_http_is_an_error(api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            for _ in range(4):
                with listener.accept()[0] as connection:
                    connection.recv(1 << 16)
                    connection.sendall(b"SSH-2.0-hello\r\n")
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1 << 16):  # closed with something unread, it would be reset
                        pass

        thread = Thread(target=babble)
        thread.start()
        run_id = run_for(api, 1, f"http://127.0.0.1:{listener.getsockname()[1]}/")
        api.advance(by="1s")
        eventually(lambda: states(api, run_id), [("failed", ["its answer is not HTTP, or breaks off"] * 4)])
        thread.join(PATIENCE_S)


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(api: Api, receiver: Receiver) -> None:
    run_id = run_for(api, 1, receiver.url.replace("http:", "https:"))
    api.advance(by="1s")
    eventually(lambda: states(api, run_id), [("failed", ["no TLS connection comes about"] * 4)])


def test_receivers_that_never_answer_hold_up_neither_others_nor_an_advance() -> None:
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        silent = [stack.enter_context(receiving(silent=True)) for _ in range(30)]
        api = stack.enter_context(emulating(advance_s=2.0))
        scenario(api, "short", "timeline: [running: 1s]\n")
        for number in range(100):
            api.start("short", user_callback_urls=[silent[number % 3].url, silent[number % 30].url])
        run_id = run_for(api, 1, f"{receiver.url}/last")
        began = time.monotonic()
        api.advance(by="1s")
        waited = time.monotonic() - began
        assert states(api, run_id) == [("delivered", [204])]
        assert receiver.received[0].at - began < 1.5
        assert 1.9 < waited < 4
        assert max(len(each.received) for each in silent) <= lanes.MAX_PER_RECEIVER


def test_one_that_is_slow_gets_the_next_a_quarter_second_later() -> None:
    with receiving(silent=True) as receiver, emulating(advance_s=2.0) as api:
        run_for(api, 1, *(f"{receiver.url}/{number}" for number in range(4)))
        api.advance(by="1s")
        received = receiver.received
    assert [each.path for each in received] == ["/0", "/1", "/2", "/3"]
    gaps = [after.at - before.at for before, after in pairwise(received)]
    assert min(gaps) > 0.9 * lanes.SPACING_S


def test_what_is_beyond_the_bounds_is_recorded_as_dropped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(courier, "MAX_WAITING", 5)
    monkeypatch.setattr(courier, "MAX_WAITING_PER_RECEIVER", 2)
    with receiving(silent=True) as one, receiving(silent=True) as other, emulating(advance_s=0.1) as api:
        run_id = run_for(api, 1, *[one.url] * 3, *[other.url] * 3)
        later = run_for(api, 2, "http://127.0.0.1:1/", "http://127.0.0.1:2/")
        api.advance(by="1s")
        dropped = [each for each in callbacks(api, run_id) if each["state"] == "dropped"]
        assert [each["url"] for each in dropped] == [one.url, other.url]
        assert dropped[0]["detail"] == "2 callbacks are waiting for this receiver already"
        api.advance(by="1s")
        assert [each["state"] for each in callbacks(api, later)].count("dropped") == 1
    assert sum("dropped" in line for line in caplog.messages) == 3


def test_refusals_are_recorded_and_told_and_call_nobody(
    api: Api, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    urls = ["http://me:secret@10.0.0.1/x?token=secret", "http://169.254.169.254/", f"http://0.0.0.0:{receiver.port}/"]
    run_id = run_for(api, 1, *urls)
    api.advance(by="1s")
    assert states(api, run_id) == [("refused", [])] * 3
    told = api.control("GET", "/requests?callbacks=true")["requests"]
    assert [(each["execution_id"], each["status_code"]) for each in told] == [(run_id, None)] * 3
    assert told[-1]["path"] == "http://***@10.0.0.1/x?token=***"
    assert told[-1]["detail"].startswith("refused: its host is not on this machine")
    shown = callbacks(api, run_id)[0]
    assert (shown["url"], shown["detail"]) == (
        "http://***@10.0.0.1/x?token=***",
        "its host is not on this machine: allow it with --callback-host",
    )
    assert receiver.received == []
    assert "secret" not in caplog.text + api.request("GET", f"/_emulator/runs/{run_id}").text
    assert caplog.messages[0] == (
        f"callback of run {run_id} to http://***@10.0.0.1/x?token=*** refused:"
        " its host is not on this machine: allow it with --callback-host"
    )


def test_a_host_that_is_named_may_be_called(receiver: Receiver) -> None:
    with emulating(hosts=("*.example",)) as api:
        run_id = run_for(api, 1, "http://hooks.example.org/")
        api.advance(by="1s")
        assert states(api, run_id) == [("refused", [])]


# What a client sees of it: nothing.


def test_the_answers_to_a_client_are_the_same_with_and_without_callbacks(receiver: Receiver) -> None:
    receiver.answers = [503]

    def answers(urls: list[str]) -> list[Any]:
        with emulating() as api:
            run_id = api.start("failed", user_callback_urls=urls)
            api.advance(execution_id=run_id, until="terminal")
            paths = (
                f"/execution/{run_id}",
                f"/execution/{run_id}/timing",
                "/workloads/list?status=failed",
                "/billing/history",
            )
            return [api.get(path).json() for path in paths]

    assert answers([]) == answers([receiver.url, "http://10.0.0.1/"])
    assert receiver.received


def test_a_run_that_is_deleted_still_tells_its_end(api: Api, receiver: Receiver) -> None:
    run_id = run_for(api, 1, receiver.url, more="callbacks: {delay: 1h}")
    api.advance(by="1m")
    assert api.request("DELETE", f"/api/v2/external/execution/{run_id}").status_code == 200
    api.advance(by="1h")
    assert [each.body["execution_id"] for each in receiver.received] == [run_id]


def test_what_a_deleted_run_owes_is_in_a_snapshot_and_still_told(receiver: Receiver) -> None:
    with emulating() as api:
        run_id = run_for(api, 1, f"{receiver.url}/one", more="callbacks: {delay: 1h}")
        failing = run_for(api, 2, "http://10.0.0.1:9/", f"{receiver.url}/two", more="callbacks: {delay: 1h}")
        other = run_for(api, 3, f"{receiver.url}/kept", more="callbacks: {delay: 1h}")
        api.advance(by="1m")
        assert "deleted" not in str(api.control("GET", "/snapshot"))
        for each in (run_id, failing):
            assert api.request("DELETE", f"/api/v2/external/execution/{each}").status_code == 200
        taken = api.control("GET", "/snapshot")
    (state,) = taken["tenants"].values()
    assert [each["execution_id"] for each in state["deleted"]] == [run_id, failing]
    with emulating() as api:
        restored = api.control("PUT", "/snapshot", taken)
        assert restored["runs_restored"] == 1
        assert api.control("GET", "/snapshot") == taken
        assert api.get(f"/execution/{run_id}").status_code == 404
        assert receiver.received == []
        api.advance(by="2h")
        assert sorted(receiver.paths) == ["/kept", "/one", "/two"]
        assert states(api, other) == [("delivered", [204])]
        (state,) = api.control("GET", "/snapshot")["tenants"].values()
        assert "deleted" not in state


def test_a_callback_of_a_deleted_run_that_is_being_repeated_is_in_a_snapshot(receiver: Receiver) -> None:
    receiver.answers = [503, 204]
    with emulating(retries_s=(3600.0,), grace_s=0.0) as api:
        run_id = run_for(api, 1, f"{receiver.url}/again")
        api.advance(by="1m")
        assert api.request("DELETE", f"/api/v2/external/execution/{run_id}").status_code == 200
        taken = api.control("GET", "/snapshot")
    with emulating() as api:
        api.control("PUT", "/snapshot", taken)
        api.advance(by="1s")
        assert [each.body["execution_id"] for each in receiver.received] == [run_id] * 2


def test_two_runs_with_one_id_are_refused_deleted_or_not(api: Api, receiver: Receiver) -> None:
    run_for(api, 1, receiver.url)
    taken = api.control("GET", "/snapshot")
    (state,) = taken["tenants"].values()
    state["deleted"] = state["runs"]
    answer = api.request("PUT", "/_emulator/snapshot", json=taken)
    assert (answer.status_code, answer.json()["detail"]) == (409, "the snapshot has two runs with one id")


def test_a_reset_forgets_what_is_not_delivered(receiver: Receiver) -> None:
    receiver.answers = [503, 204]
    with emulating(retries_s=(0.2,)) as api:
        run_for(api, 1, f"{receiver.url}/under-way")
        run_for(api, 60, f"{receiver.url}/due-later")
        api.advance(by="1s")
        api.control("POST", "/reset")
        other = run_for(api, 100, f"{receiver.url}/after")
        api.advance(by="100s")
        assert states(api, other) == [("delivered", [204])]
        run_for(api, 1, f"{receiver.url}/last")
        began = time.monotonic()
        eventually(lambda: time.monotonic() - began > 0.3, True)
        api.advance(by="1s")
    assert receiver.paths == ["/under-way", "/after", "/last"]


def test_each_event_loop_begins_anew(receiver: Receiver) -> None:
    """In-process clients may run every request in an event loop of its own."""
    receiver.answers = [503, 204]
    api = emulator(Settings(callbacks=CallbackSettings(retries_s=(3_600.0,))))
    lost = run_for(api, 1, f"{receiver.url}/1")
    api.advance(by="1s")
    kept = run_for(api, 1, f"{receiver.url}/2")
    api.advance(by="1s")
    assert states(api, lost) == [("failed", [503])]
    assert states(api, kept) == [("delivered", [204])]


def test_the_control_api_takes_no_callbacks(api: Api) -> None:
    headers = {"User-Agent": "lyceum-emulator/9.9"}
    assert api.request("POST", "/_emulator/reset", headers=headers).status_code == 401
    assert api.request("GET", "/_emulator/health", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "urls",
    [["ftp://127.0.0.1/"], ["http://127.0.0.1/" + "x" * 2048], ["http://127.0.0.1/"] * 11, "http://127.0.0.1/", [None]],
)
def test_what_is_no_list_of_urls_is_malformed(api: Api, urls: object) -> None:
    answer = api.post("/execution/streaming/start", {"code": "", "user_callback_urls": urls})
    assert answer.status_code == 422


def test_the_journal_does_not_keep_the_urls(api: Api, receiver: Receiver) -> None:
    run_for(api, 1, f"{receiver.url}/?token=secret")
    assert "secret" not in api.request("GET", "/_emulator/requests").text
    assert KEY not in api.request("GET", "/_emulator/requests").text


def test_the_recipients_of_all_start_calls_are_called(api: Api, receiver: Receiver) -> None:
    compose = "services: {a: {image: b}}"
    api.post("/execution/image/start", {"docker_image_ref": "a", "user_callback_urls": [f"{receiver.url}/image"]})
    api.post(
        "/execution/compose/start", {"compose_file_code": compose, "user_callback_urls": [f"{receiver.url}/compose"]}
    )
    api.advance(by="1h")
    assert sorted(receiver.paths) == ["/compose", "/image"]


def test_scenarios_on_disk_may_use_the_key(tmp_path: Path, receiver: Receiver) -> None:
    (tmp_path / "quiet.yaml").write_text("extends: completed\ncallbacks: none\n", "utf-8")
    api = emulator(scenario_directories=[tmp_path])
    with api.http:
        api.start("quiet", user_callback_urls=[receiver.url])
        api.advance(by="1h")
    assert receiver.received == []
