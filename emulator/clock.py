"""The only place that reads the time.

A clock gives emulated time, in milliseconds since the epoch, and never goes back. Its mode says what moves it:

- real: the wall clock, `speed` times as fast;
- manual: only `advance_to`;
- per request: each request takes the time and then moves it on by one step.

A tenant's clock follows the server's until it is first set. While it follows, it has a lead of its own, so that
the steps of one tenant's requests do not move another tenant's time.
"""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum

from msgspec import Struct

from emulator.errors import Conflict
from emulator.times import LATEST_MS, format_instant, parse_instant_ms

START_MS = parse_instant_ms("2026-01-01T00:00:00Z") or 0
"""Where manual and per-request clocks start unless told otherwise."""

MAX_SPEED = 1_000_000.0

_LONGEST_SLEEP_S = 86_400.0  # event loops differ in how long a timer may be
_ROUNDING_S = 0.001  # slept longer, so that a clock of whole milliseconds has reached the instant on waking


def wall_ms() -> int:
    """The wall clock, in milliseconds since the epoch: for what the emulator does in the real world."""
    return time.time_ns() // 1_000_000


def _monotonic_ms() -> float:
    return time.monotonic_ns() / 1_000_000


class ClockMode(StrEnum):
    REAL = "real"
    MANUAL = "manual"
    PER_REQUEST = "per_request"


class ClockSettings(Struct, frozen=True):
    """How a clock moves; `start_ms` is where it begins (the real clock: at the wall's now, if None)."""

    mode: ClockMode = ClockMode.REAL
    speed: float = 1.0
    step_ms: int = 5_000
    start_ms: int | None = None


class Bell:
    """Wakes those who wait for a change. A bell with a parent also rings when the parent does."""

    def __init__(self, parent: Bell | None = None) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._heard = (self,) if parent is None else (self, parent)

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        return len(self._waiting)

    def ring(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Return True at the next ring, or False after `timeout_s` seconds of wall time, if that many are given."""
        waiter = asyncio.get_running_loop().create_future()
        for bell in self._heard:
            bell._waiting.add(waiter)
        try:
            await asyncio.wait((waiter,), timeout=timeout_s)
            return waiter.done()
        finally:
            for bell in self._heard:
                bell._waiting.discard(waiter)


class Clock:
    """Emulated time that can be read, stepped, moved and waited for."""

    def __init__(self, settings: ClockSettings | None = None, *, follows: Clock | None = None) -> None:
        """A clock of its own with `settings`, or one that follows another."""
        self.bell: Bell = Bell(follows.bell if follows else None)
        self._initial = settings or ClockSettings()
        self._leader = follows
        self._base: Clock | _Motion = self._beginning()
        self._lead_ms = 0

    def _beginning(self) -> Clock | _Motion:
        return self._leader or _Motion.begin(self._initial)

    def reset(self, settings: ClockSettings | None = None) -> None:
        """Back to the start; a clock that followed another follows it again.

        With `settings` it begins with these instead, and is independent, until the next reset.
        """
        self._base = self._beginning() if settings is None else _Motion.begin(settings)
        self._lead_ms = 0
        self.bell.ring()

    @property
    def follows(self) -> bool:
        """Whether it still follows another clock."""
        return isinstance(self._base, Clock)

    def moves_with(self, other: Clock) -> bool:
        """Whether what moves `other` moves this one."""
        return self is other or self._base is other

    @property
    def mode(self) -> ClockMode:
        return self._base.mode

    @property
    def speed(self) -> float:
        return self._base.speed

    @property
    def step_ms(self) -> int:
        return self._base.step_ms

    @property
    def lead_ms(self) -> int:
        """How far it is ahead of the clock that it follows, or of where it was set."""
        return self._lead_ms

    def now_ms(self) -> int:
        return min(self._base.now_ms() + self._lead_ms, LATEST_MS)

    def observe(self) -> int:
        """The time for one request; under the per-request clock, the next request sees a step more."""
        now_ms = self.now_ms()
        if self.mode is ClockMode.PER_REQUEST:
            self._lead_ms += self.step_ms
            self.bell.ring()
        return now_ms

    def advance_to(self, at_ms: int) -> None:
        """Move on to `at_ms`. Raises Conflict if that is in the past or beyond the year 2100."""
        now_ms = self.now_ms()
        if at_ms < now_ms:
            raise Conflict(f"time does not go back: it is {format_instant(now_ms)}")
        if at_ms > LATEST_MS:
            raise Conflict(f"time ends at {format_instant(LATEST_MS)}")
        self._lead_ms += at_ms - now_ms
        self.bell.ring()

    def set(
        self,
        *,
        mode: ClockMode | None = None,
        speed: float | None = None,
        step_ms: int | None = None,
        now_ms: int | None = None,
    ) -> None:
        """Change what is given and keep the rest; a following clock becomes independent.

        Raises Conflict, and changes nothing, if `now_ms` is in the past or beyond the year 2100.
        """
        if now_ms is not None:
            self.advance_to(now_ms)
        self._base = _Motion(
            mode or self.mode,
            self.speed if speed is None else speed,
            self.step_ms if step_ms is None else step_ms,
            self.now_ms(),
            _monotonic_ms(),
        )
        self._lead_ms = 0
        self.bell.ring()

    async def watch(self, at_ms: int | None) -> None:
        """Wait for the bell, or under the real clock for `at_ms` (None: no such instant is known), and move nothing.

        Comes back early now and then: whoever waits has to look at the clock anew.
        """
        timeout_s = None
        if at_ms is not None and self.mode is ClockMode.REAL:
            remaining_ms = max(0, at_ms - self.now_ms())
            timeout_s = min(remaining_ms / self.speed / 1000 + _ROUNDING_S, _LONGEST_SLEEP_S)
        await self.bell.wait(timeout_s)

    async def wait_until(self, at_ms: int | None, *, at_most_s: float) -> bool:
        """Wait for the clock to reach `at_ms` (None: no such instant is known), or for the bell.

        Returns False if neither came within `at_most_s` seconds of wall time. Under the per-request clock with
        an instant given, the clock moves there at once, so that a client that only listens makes progress.
        """
        if at_ms is not None and at_ms <= LATEST_MS:
            remaining_ms = at_ms - self.now_ms()
            if remaining_ms <= 0:
                return True
            if self.mode is ClockMode.PER_REQUEST:
                self.advance_to(at_ms)
                return True
            remaining_s = remaining_ms / self.speed / 1000
            if self.mode is ClockMode.REAL and remaining_s < at_most_s:
                await self.bell.wait(remaining_s + _ROUNDING_S)
                return True
        return await self.bell.wait(at_most_s)


class _Motion(Struct, frozen=True):
    """How a clock moves from an anchor on: emulated `anchor_ms` was at `wall_anchor_ms` of the monotonic clock."""

    mode: ClockMode
    speed: float
    step_ms: int
    anchor_ms: int
    wall_anchor_ms: float

    @classmethod
    def begin(cls, settings: ClockSettings) -> _Motion:
        start_ms = settings.start_ms
        if start_ms is None:
            start_ms = wall_ms() if settings.mode is ClockMode.REAL else START_MS
        return cls(settings.mode, settings.speed, settings.step_ms, start_ms, _monotonic_ms())

    def now_ms(self) -> int:
        if self.mode is not ClockMode.REAL:
            return self.anchor_ms
        return self.anchor_ms + int((_monotonic_ms() - self.wall_anchor_ms) * self.speed)
