"""The ways in without a socket: answers, streams, time limits, and those who go away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import anyio
import httpx2
import pytest
from starlette.testclient import TestClient

from emulator import Emulator, Lyceum

START = "/execution/streaming/start"
FLOOD = {
    "timeline": [{"running": "15m"}, "completed"],
    "timeout": "ignore",
    "output": [{"every": "10ms", "text": "x" * 600 + "\n"}],
}
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture
def direct(tenant: Lyceum) -> Iterator[httpx2.Client]:
    with httpx2.Client(
        transport=tenant.transport(), base_url=tenant.base_url, headers=tenant.headers, timeout=5
    ) as client:
        yield client


def submit(client: httpx2.Client) -> dict[str, str]:
    answer = client.post(START, json={"code": "pass"})
    assert answer.status_code == 200, answer.text
    started: dict[str, str] = answer.json()
    return started


def test_answers_are_those_of_the_socket(tenant: Lyceum, direct: httpx2.Client) -> None:
    execution_id = submit(direct)["execution_id"]
    with tenant.client() as client:
        for path in (
            f"/execution/{execution_id}",
            "/workloads/list?status=pending&limit=5",
            "/no/such/path",
            "/user/org",
        ):
            one, other = client.get(path), direct.get(path)
            assert (one.status_code, one.content) == (other.status_code, other.content)
            assert {**one.headers, "date": ""} == {**other.headers, "date": ""}
        assert direct.head("/user/org").content == client.head("/user/org").content == b""


def test_a_stream_is_followed_while_the_clock_moves(tenant: Lyceum, direct: httpx2.Client) -> None:
    started = submit(direct)
    lines: list[str] = []
    begun = threading.Event()

    def follow() -> None:
        with direct.stream("POST", started["streaming_url"]) as answer:
            begun.set()
            lines.extend(line for line in answer.iter_lines() if line)

    follower = threading.Thread(target=follow)
    follower.start()
    assert begun.wait(10)  # the head of the answer comes before there is anything to tell
    tenant.clock.until(started["execution_id"], "terminal")
    follower.join(10)
    assert '"returnCode": 0' in lines[-1]


def test_a_stream_that_nobody_moves_ends_with_the_clients_time_limit(direct: httpx2.Client) -> None:
    url = submit(direct)["streaming_url"]
    with (
        direct.stream("POST", url, timeout=0.05) as answer,
        pytest.raises(httpx2.ReadTimeout, match=r"^nothing more came within 0\.05 s of wall time"),
    ):
        answer.read()


def test_who_does_not_read_holds_the_answer_back(tenant: Lyceum, direct: httpx2.Client) -> None:
    tenant.scenario(FLOOD)
    started = submit(direct)
    tenant.clock.until(started["execution_id"], "terminal")  # 54 MB of output
    with direct.stream("POST", started["streaming_url"]) as answer:
        pieces = answer.iter_bytes()
        assert sum(len(next(pieces)) for _ in range(3)) < 10 << 20
        assert tenant.clock.mode == "manual"  # others are served meanwhile
    assert tenant.clock.mode == "manual"


@BACKENDS
def test_asynchronous_clients_work_in_any_loop(tenant: Lyceum, backend: str) -> None:
    async def through(make: Callable[[], httpx2.AsyncClient]) -> str:
        async with make() as client:
            started = (await client.post(START, json={"code": "pass"})).json()
            await tenant.clock.until_async(started["execution_id"])
            async with client.stream("POST", started["streaming_url"]) as answer:
                return [line async for line in answer.aiter_lines() if line][-1]

    for make in (tenant.asgi_client, tenant.async_client):
        assert "jobFinished" in anyio.run(through, make, backend=backend)


@BACKENDS
def test_many_followers_do_not_keep_others_out(tenant: Lyceum, backend: str) -> None:
    """More of them than an event loop's own limit of threads, which is forty."""

    async def follow(client: httpx2.AsyncClient, url: str, ends: list[str]) -> None:
        async with client.stream("POST", url) as answer:
            ends.append([line async for line in answer.aiter_lines() if line][-1])

    async def all_at_once() -> list[str]:
        ends: list[str] = []
        async with tenant.asgi_client() as client, anyio.create_task_group() as group:
            started = (await client.post(START, json={"code": "pass"})).json()
            for _ in range(60):
                group.start_soon(follow, client, started["streaming_url"], ends)
            await tenant.clock.until_async(started["execution_id"], "running")
            await tenant.clock.until_async(started["execution_id"], "terminal")
        return ends

    assert len(anyio.run(all_at_once, backend=backend)) == 60


@BACKENDS
def test_an_asynchronous_time_limit_holds(tenant: Lyceum, backend: str) -> None:
    async def wait() -> None:
        async with tenant.asgi_client() as client:
            started = (await client.post(START, json={"code": "pass"})).json()
            with pytest.raises(httpx2.ReadTimeout, match="does somebody have to move the clock"):
                await client.post(started["streaming_url"], timeout=0.05)

    anyio.run(wait, backend=backend)


@BACKENDS
def test_who_is_cancelled_leaves_nothing_running(tenant: Lyceum, backend: str) -> None:
    async def give_up() -> bool:
        async with tenant.asgi_client() as client:
            started = (await client.post(START, json={"code": "pass"})).json()
            with anyio.move_on_after(0.05) as scope:
                await client.post(started["streaming_url"], timeout=None)
            return scope.cancelled_caught

    threads = set(threading.enumerate())
    assert anyio.run(give_up, backend=backend)
    if backend == "asyncio":  # trio keeps its threads for others to use
        for thread in set(threading.enumerate()) - threads:
            thread.join(10)
            assert not thread.is_alive()


def test_the_asgi_application_serves_other_clients(tenant: Lyceum) -> None:
    with TestClient(tenant.app, base_url=tenant.url, headers=tenant.headers) as client:
        started = client.post("/api/v2/external" + START, json={"code": "pass"}).json()
        tenant.clock.until(started["execution_id"])
        ended = client.get(f"/api/v2/external/execution/{started['execution_id']}").json()
    assert ended["status"] == "completed"
    assert [each.status_code for each in tenant.requests()] == [200, 200]


@BACKENDS
def test_the_asgi_application_runs_in_any_loop(tenant: Lyceum, backend: str) -> None:
    async def through() -> int:
        transport = httpx2.ASGITransport(app=tenant.app)
        async with httpx2.AsyncClient(transport=transport, base_url=tenant.base_url, headers=tenant.headers) as client:
            return (await client.get("/user/org")).status_code

    assert anyio.run(through, backend=backend) == 200


def test_who_reads_while_the_emulator_stops_is_let_go() -> None:
    lines: list[str] = []
    begun = threading.Event()

    def follow(client: httpx2.Client, url: str) -> None:
        with client.stream("POST", url, timeout=None) as answer:
            begun.set()
            lines.extend(answer.iter_lines())

    with Emulator(listen=False) as emulator:
        client = emulator.client()
        follower = threading.Thread(target=follow, args=(client, submit(client)["streaming_url"]))
        follower.start()
        assert begun.wait(10)
    follower.join(10)
    client.close()
    assert (follower.is_alive(), lines) == (False, [])
