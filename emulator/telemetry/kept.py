"""Compiled values kept for the next question, within a bound of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    @property
    def nbytes(self) -> int:
        """The memory that it takes."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)


class Kept(Generic[K, V]):
    """The values last asked for, as many as fit; one that is larger than all the room is kept alone.

    Emulators in threads of their own share it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def nbytes(self) -> int:
        return self._bytes

    @property
    def has_room(self) -> bool:
        """Whether another value as large as the others usually are would push none of them out."""
        with self._lock:
            return self._bytes + self._bytes // max(1, len(self._values)) <= self._max_bytes

    def get(self, key: K) -> V | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> None:
        """Keep `value`; those that were not asked for the longest go."""
        with self._lock:
            if (before := self._values.pop(key, None)) is not None:  # two threads may have compiled the same
                self._bytes -= before.nbytes
            self._values[key] = value
            self._bytes += value.nbytes
            while self._bytes > self._max_bytes and len(self._values) > 1:
                self._bytes -= self._values.popitem(last=False)[1].nbytes
