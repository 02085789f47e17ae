"""Lines that come twice or in the wrong order, in a stream as on a page of logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from emulator.faults.effect import Effect

T = TypeVar("T")


class Disorder(Generic[T]):
    """Takes lines one by one and gives back those that are to go out now.

    `struck` says for each line, counted from 0, whether it comes twice, or changes places with the next one.
    """

    def __init__(self, effect: Effect, struck: Callable[[int], bool]) -> None:
        self._duplicates = effect is Effect.DUPLICATE_LINES
        self._struck = struck
        self._count = 0
        self._held: list[T] = []

    def put(self, line: T) -> list[T]:
        """The lines that go out once `line` is there."""
        if self._held:
            self._count += 1
            return [line, *self.rest()]
        struck = self._struck(self._count)
        self._count += 1
        if struck and not self._duplicates:
            self._held.append(line)
            return []
        return [line, line] if struck else [line]

    def rest(self) -> list[T]:
        """What was held back and has nothing to change places with."""
        rest, self._held = self._held, []
        return rest
