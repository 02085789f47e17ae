"""That an answer leaves in one write, and that nothing waits for long or changes its place by that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.server.one_write import OneWrite

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Recorded(asyncio.Transport):
    """What reaches the socket, a text for each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        pieces = list(list_of_data)
        assert all(pieces), "asyncio's own transport never gets rid of an empty one"
        self.writes.append(b"".join(pieces))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


@pytest.mark.parametrize("body", [b"{}", memoryview(b"{}"), b""])
async def test_a_head_and_its_body_are_one_write(body: bytes) -> None:
    socket = Recorded()
    transport = OneWrite(socket)
    transport.write(HEAD)
    assert socket.writes == []
    transport.write(body)
    assert socket.writes == [HEAD + bytes(body)]
    await asyncio.sleep(0)
    assert len(socket.writes) == 1


async def test_a_head_alone_waits_for_one_turn_of_the_loop() -> None:
    socket = Recorded()
    OneWrite(socket).write(HEAD)
    await asyncio.sleep(0)
    assert socket.writes == [HEAD]


async def test_a_head_is_let_go_of_where_the_client_has_gone() -> None:
    socket = Recorded()
    OneWrite(socket).write(HEAD)
    socket.closed = True  # by a reset, which nobody is told of before the loop's next turn
    await asyncio.sleep(0)
    assert socket.writes == []


async def test_what_is_asked_of_the_transport_is_true_of_what_was_written() -> None:
    socket = Recorded()
    transport = OneWrite(socket)
    transport.write(HEAD)
    transport.close()
    assert (socket.writes, transport.is_closing()) == ([HEAD], True)
    socket.closed = False
    transport.write(HEAD)
    assert transport.get_write_buffer_size() == 0
    assert socket.writes == [HEAD, HEAD]


@given(st.lists(st.sampled_from([HEAD, b"{}", b"", b"0\r\n\r\n", b"HTTP/", b"HTTP"])), st.data())
async def test_bytes_keep_their_order(chunks: list[bytes], data: st.DataObject) -> None:
    socket = Recorded()
    transport = OneWrite(socket)
    for chunk in chunks:
        transport.write(chunk)
        if data.draw(st.booleans()):
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert b"".join(socket.writes) == b"".join(chunks)
