"""A run's output as server-sent events, read by one and by many, to the end or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from emulator.app import create_service
from emulator.clock import ClockMode, ClockSettings
from emulator.runs.output import next_piece_ms
from emulator.runs.run import Run
from emulator.scenario.submission import Kind, Submission
from emulator.server import stream
from emulator.server.service import Service
from emulator.tenants.tenant import Tenant
from tests.api import Api


def events(text: str) -> list[Any]:
    """The events of a stream, which has to keep to what the strictest known client reads."""
    assert text.isascii()
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        assert block.startswith("data: "), block
        assert "\n" not in block
        found.append(json.loads(block.removeprefix("data: ")))
    return found


def content(text: str) -> str:
    return "".join(event["output"]["content"] for event in events(text) if "output" in event)


def result(text: str) -> Any:
    last = events(text)[-1]
    assert set(last) == {"jobFinished"}
    return last["jobFinished"]["job"]["result"]


def read(api: Api, run_id: str, method: str = "POST") -> str:
    answer = api.as_caller(None).request(method, f"/api/v1/stream/{run_id}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return answer.text


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("completed", {"returnCode": 0}),
        ("failed", {"returnCode": 1}),
        ("timeout", {"returnCode": 124}),
        ("cancelled", {"returnCode": 143}),
        ("silent", {"returnCode": 0}),
    ],
)
def test_a_finished_run_is_replayed_whole(api: Api, scenario: str, expected: object) -> None:
    run_id = api.start(scenario)
    api.advance(execution_id=run_id, until="terminal")
    text = read(api, run_id)
    assert result(text) == expected
    assert content(text) == api.record(run_id)["combined_output"]
    assert read(api, run_id, "GET") == text


def test_a_system_failure_says_why(api: Api) -> None:
    run_id = api.start("system-failure")
    api.advance(execution_id=run_id, until="terminal")
    (cause,) = api.record(run_id)["system_errors"]
    assert result(read(api, run_id)) == {"returnCode": 1, "error": cause}


def test_an_aborted_run_ends_with_137(api: Api) -> None:
    run_id = api.start()
    api.post(f"/workloads/abort/{run_id}")
    assert result(read(api, run_id)) == {"returnCode": 137}


@pytest.mark.parametrize("scenario", ["completed", "failed", "oom", "chatty", "unicode-output", "compose-stack"])
def test_stream_record_and_logs_tell_the_same(api: Api, scenario: str) -> None:
    run_id = api.start(scenario)
    api.advance(execution_id=run_id, until="terminal")
    record = api.record(run_id)
    logs = api.get(f"/logs/execution/{run_id}", params={"limit": 10_000}).json()["logs"]
    told = content(read(api, run_id))
    assert told == record["combined_output"]
    for name in ("stdout", "stderr"):
        messages = [entry["message"] for entry in logs if entry["labels"]["stream"] == name]
        assert messages == record[name].removesuffix("\n").split("\n") if record[name] else not messages
    assert len(record["stdout"]) + len(record["stderr"]) == len(told)


def test_a_stream_needs_no_token_but_does_not_take_a_wrong_one(api: Api) -> None:
    run_id = api.start()
    api.post(f"/workloads/abort/{run_id}")
    path = f"/api/v1/stream/{run_id}"
    for key, status_code in ((None, 200), (api.key, 200), ("lk_somebody_else", 404), ("lk_bad", 401)):
        assert api.as_caller(key).request("POST", path).status_code == status_code, key
    assert api.as_caller(None).request("POST", "/api/v1/stream/unknown").status_code == 404


def test_head_of_a_stream_does_not_wait_for_its_end(api: Api) -> None:
    answer = api.request("HEAD", f"/api/v1/stream/{api.start('notebook')}")
    assert (answer.status_code, answer.text) == (200, "")


# What follows drives the follower itself, so that a test decides when time passes.


class Following:
    """A service with one run, and a way to follow it."""

    def __init__(self, scenario: str, mode: ClockMode = ClockMode.MANUAL) -> None:
        self.service: Service = create_service(clock=ClockSettings(mode))
        cloud = self.service.cloud
        self.tenant: Tenant = cloud.tenant("lk_tests_own_key")
        submission = Submission(Kind.PYTHON, "gpu.l40s")
        self.run: Run = cloud.submit(self.tenant, submission, self.tenant.clock.now_ms(), named=scenario)

    def reader(self) -> AsyncGenerator[bytes, None]:
        return stream.events(self.service, self.tenant, self.run)

    @property
    def waiting(self) -> int:
        return self.tenant.clock.bell.waiting + self.service.cloud.clock.bell.waiting

    def end_ms(self) -> int:
        end = self.run.course.end
        assert end is not None
        return end.at_ms


async def collect(reader: AsyncGenerator[bytes, None]) -> str:
    return b"".join([chunk async for chunk in reader]).decode()


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_many_readers_follow_one_run_and_all_read_the_same() -> None:
    async def scene() -> list[str]:
        following = Following("chatty")
        readers = [asyncio.create_task(collect(following.reader())) for _ in range(20)]
        await settle()
        assert following.waiting == 20 * 2  # each hears the tenant's bell and the server's
        begin_ms, end_ms = following.run.submitted_ms, following.end_ms()
        for part in range(1, 8):
            following.tenant.clock.advance_to(begin_ms + (end_ms - begin_ms) * part // 7)
            await settle()
        texts = await asyncio.gather(*readers)
        assert following.waiting == 0
        return texts

    texts = asyncio.run(scene())
    assert len(set(texts)) == 1
    assert result(texts[0]) == {"returnCode": 0}
    assert len(events(texts[0])) >= 10_000


def test_a_reader_sees_what_is_written_as_time_passes_and_no_more() -> None:
    async def scene() -> None:
        following = Following("completed")
        reader = following.reader()
        first = asyncio.ensure_future(anext(reader))
        await settle()
        assert not first.done()
        due_ms = next_piece_ms(following.run, following.run.submitted_ms)
        assert due_ms is not None
        following.tenant.clock.advance_to(due_ms - 1)
        await settle()
        assert not first.done()
        following.tenant.clock.advance_to(due_ms)
        assert (await first).startswith(b'data: {"output"')
        await reader.aclose()
        assert following.waiting == 0

    asyncio.run(scene())


def test_an_abort_ends_the_stream_of_those_who_wait() -> None:
    async def scene() -> str:
        following = Following("notebook")
        reader = asyncio.create_task(collect(following.reader()))
        await settle()
        following.tenant.abort(following.run.execution_id, following.tenant.clock.now_ms())
        return await reader

    assert result(asyncio.run(scene())) == {"returnCode": 137}


def test_a_reader_that_goes_away_leaves_nothing_waiting() -> None:
    async def scene() -> None:
        following = Following("notebook")
        reader = asyncio.create_task(collect(following.reader()))
        await settle()
        assert following.waiting == 2
        reader.cancel()
        await settle()
        assert reader.cancelled()
        assert following.waiting == 0

    asyncio.run(scene())


def test_a_reset_ends_the_stream_without_a_result_and_a_deletion_lets_it_finish() -> None:
    async def scene() -> tuple[str, str]:
        following = Following("completed")
        after_reset = asyncio.create_task(collect(following.reader()))
        await settle()
        following.tenant.reset()
        taken = await after_reset
        following = Following("completed")
        following.tenant.clock.advance_to(following.end_ms())
        reader = following.reader()
        begun = await anext(reader)
        following.tenant.delete(following.run.execution_id, following.tenant.clock.now_ms())
        return taken, begun.decode() + await collect(reader)

    taken, finished = asyncio.run(scene())
    assert taken == ""
    assert result(finished) == {"returnCode": 0}


def test_a_quiet_stream_is_kept_alive_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_ALIVE_S", 0.001)

    async def scene() -> bytes:
        reader = Following("silent").reader()
        comments = await anext(reader) + await anext(reader)
        await reader.aclose()
        return comments

    assert asyncio.run(scene()) == b": keep-alive\n\n" * 2


def test_under_the_per_request_clock_a_follower_takes_its_clock_from_event_to_event() -> None:
    async def scene() -> int:
        following = Following("long-queue", ClockMode.PER_REQUEST)
        assert result(await collect(following.reader())) == {"returnCode": 0}
        assert following.service.cloud.clock.now_ms() == following.run.submitted_ms
        return following.tenant.clock.now_ms() - following.end_ms()

    assert asyncio.run(scene()) == 0


def test_a_server_that_stops_ends_its_streams() -> None:
    async def scene() -> str:
        following = Following("notebook")
        reader = asyncio.create_task(collect(following.reader()))
        await settle()
        following.service.close()
        return await reader

    assert asyncio.run(scene()) == ""
