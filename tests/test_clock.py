"""Emulated time: what moves it, who follows whom, and waiting for it. No test sleeps for its own sake."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.clock import START_MS, Bell, Clock, ClockMode, ClockSettings, wall_ms
from emulator.errors import Conflict
from emulator.times import LATEST_MS, parse_instant_ms

T = TypeVar("T")

AT_ONCE_S = 5.0
"""Far longer than what it bounds takes: reached only if nobody wakes the waiter."""


def manual(start_ms: int = START_MS) -> Clock:
    return Clock(ClockSettings(ClockMode.MANUAL, start_ms=start_ms))


def stepping(step_ms: int = 5_000) -> Clock:
    return Clock(ClockSettings(ClockMode.PER_REQUEST, step_ms=step_ms))


def real(speed: float = 1.0, start_ms: int | None = None) -> Clock:
    return Clock(ClockSettings(ClockMode.REAL, speed=speed, start_ms=start_ms))


def run(waiting: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(waiting)


def state(clock: Clock) -> tuple[ClockMode, float, int, bool]:
    return clock.mode, clock.speed, clock.step_ms, clock.follows


# What moves each mode.


def test_manual_and_per_request_clocks_start_with_the_year_2026() -> None:
    assert parse_instant_ms("2026-01-01T00:00:00Z") == START_MS
    assert manual().now_ms() == START_MS
    assert Clock(ClockSettings(ClockMode.MANUAL)).now_ms() == START_MS
    assert stepping().now_ms() == START_MS


def test_the_real_clock_starts_at_the_walls_now_unless_told_otherwise() -> None:
    before_ms = wall_ms()
    assert before_ms <= real().now_ms() <= wall_ms() + 1
    assert 0 <= real(start_ms=START_MS).now_ms() - START_MS < 60_000


def test_a_manual_clock_stands_still_for_readers_and_requests() -> None:
    clock = manual()
    assert [clock.now_ms(), clock.observe(), clock.observe(), clock.now_ms()] == [START_MS] * 4


def test_a_per_request_clock_gives_the_time_and_then_steps() -> None:
    clock = stepping(2_000)
    assert [clock.observe(), clock.observe(), clock.observe()] == [
        START_MS,
        START_MS + 2_000,
        START_MS + 4_000,
    ]
    assert [clock.now_ms(), clock.now_ms()] == [START_MS + 6_000] * 2


def test_the_real_clock_runs_by_itself_as_fast_as_its_speed_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monotonic_ms = 1_000.0
    monkeypatch.setattr("emulator.clock._monotonic_ms", lambda: monotonic_ms)
    clock = real(60, START_MS)
    monotonic_ms += 2_000
    assert clock.now_ms() == clock.observe() == START_MS + 120_000
    monotonic_ms += 0.5
    assert clock.now_ms() == START_MS + 120_030


def test_no_clock_goes_past_the_year_2100(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(ClockSettings(ClockMode.PER_REQUEST, step_ms=1_000, start_ms=LATEST_MS - 1_500))
    assert [clock.observe() for _ in range(4)] == [LATEST_MS - 1_500, LATEST_MS - 500, LATEST_MS, LATEST_MS]
    monotonic_ms = 0.0
    monkeypatch.setattr("emulator.clock._monotonic_ms", lambda: monotonic_ms)
    running = real(1_000, LATEST_MS - 500)
    monotonic_ms = 10.0
    assert running.now_ms() == LATEST_MS


# Moving and setting it.


@pytest.mark.parametrize("make", [manual, stepping])
def test_a_clock_advances_to_an_instant_and_no_further(make: Callable[[], Clock]) -> None:
    clock = make()
    clock.advance_to(START_MS + 90_000)
    assert clock.now_ms() == START_MS + 90_000
    clock.advance_to(START_MS + 90_000)
    assert clock.now_ms() == START_MS + 90_000


def test_a_clock_advances_to_the_very_end_of_time() -> None:
    clock = manual()
    clock.advance_to(LATEST_MS)
    assert clock.now_ms() == LATEST_MS


@pytest.mark.parametrize(
    ("at_ms", "message"),
    [
        (START_MS - 1, "time does not go back: it is 2026-01-01T00:00:00.000Z"),
        (LATEST_MS + 1, "time ends at 2100-01-01T00:00:00.000Z"),
    ],
)
def test_neither_the_past_nor_what_is_beyond_2100_can_be_reached(at_ms: int, message: str) -> None:
    leader = manual()
    for clock in (leader, Clock(follows=leader)):
        before = state(clock)
        with pytest.raises(Conflict) as refused:
            clock.advance_to(at_ms)
        assert str(refused.value) == message
        with pytest.raises(Conflict) as refused:
            clock.set(mode=ClockMode.REAL, speed=9.0, step_ms=1, now_ms=at_ms)
        assert str(refused.value) == message
        assert state(clock) == before
        assert clock.now_ms() == START_MS


def test_setting_changes_what_is_given_and_keeps_the_rest() -> None:
    clock = Clock(ClockSettings(ClockMode.MANUAL, speed=3.0, step_ms=700))
    clock.advance_to(START_MS + 1)
    clock.set(step_ms=900)
    assert (state(clock), clock.now_ms()) == ((ClockMode.MANUAL, 3.0, 900, False), START_MS + 1)
    clock.set(mode=ClockMode.PER_REQUEST)
    assert (state(clock), clock.now_ms()) == ((ClockMode.PER_REQUEST, 3.0, 900, False), START_MS + 1)
    clock.set(mode=ClockMode.MANUAL, speed=5.0, now_ms=START_MS + 50)
    assert (state(clock), clock.now_ms()) == ((ClockMode.MANUAL, 5.0, 900, False), START_MS + 50)


def test_a_change_of_speed_neither_jumps_nor_rewrites_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monotonic_ms = 0.0
    monkeypatch.setattr("emulator.clock._monotonic_ms", lambda: monotonic_ms)
    clock = real(10, START_MS)
    monotonic_ms = 1_000
    clock.set(speed=2)
    assert clock.now_ms() == START_MS + 10_000
    monotonic_ms = 2_000
    assert clock.now_ms() == START_MS + 12_000
    clock.set(mode=ClockMode.MANUAL)
    monotonic_ms = 3_000
    assert clock.now_ms() == START_MS + 12_000
    clock.set(mode=ClockMode.REAL)
    monotonic_ms = 4_000
    assert clock.now_ms() == START_MS + 14_000


def test_reset_goes_back_to_the_start_and_to_the_first_settings() -> None:
    clock = Clock(ClockSettings(ClockMode.MANUAL, speed=3.0, step_ms=700, start_ms=START_MS + 5))
    clock.set(mode=ClockMode.PER_REQUEST, speed=4.0, step_ms=800, now_ms=START_MS + 99)
    clock.observe()
    clock.reset()
    assert (state(clock), clock.now_ms()) == ((ClockMode.MANUAL, 3.0, 700, False), START_MS + 5)


# Following.


def test_the_steps_of_one_follower_do_not_move_another() -> None:
    server = stepping(1_000)
    one, other = Clock(follows=server), Clock(follows=server)
    assert [one.observe(), one.observe(), one.observe()] == [START_MS, START_MS + 1_000, START_MS + 2_000]
    one.advance_to(START_MS + 60_000)
    assert other.observe() == START_MS
    assert server.now_ms() == START_MS
    assert one.now_ms() == START_MS + 60_000
    assert (one.follows, other.follows, server.follows) == (True, True, False)


def test_what_is_set_on_the_server_reaches_those_who_follow_it() -> None:
    server = manual()
    follower = Clock(follows=server)
    server.set(mode=ClockMode.PER_REQUEST, speed=2.0, step_ms=300, now_ms=START_MS + 10_000)
    assert state(follower) == (ClockMode.PER_REQUEST, 2.0, 300, True)
    assert follower.now_ms() == START_MS + 10_000


def test_an_advance_of_the_server_reaches_those_who_follow_it() -> None:
    server = manual()
    follower = Clock(follows=server)
    server.advance_to(START_MS + 10_000)
    assert follower.now_ms() == START_MS + 10_000


def test_a_follower_keeps_its_lead_when_the_server_moves_on() -> None:
    server = manual()
    follower = Clock(follows=server)
    follower.advance_to(START_MS + 7_000)
    server.set(now_ms=START_MS + 10_000)
    assert follower.now_ms() == START_MS + 17_000


def test_a_follower_that_is_set_goes_its_own_way() -> None:
    server = manual()
    follower = Clock(follows=server)
    follower.set(step_ms=40)
    assert follower.follows is False
    server.set(mode=ClockMode.REAL, speed=1_000.0, step_ms=50, now_ms=START_MS + 10_000)
    assert state(follower) == (ClockMode.MANUAL, 1.0, 40, False)
    assert follower.now_ms() == START_MS


def test_a_follower_keeps_its_own_time_when_it_is_set() -> None:
    server = stepping(1_000)
    follower = Clock(follows=server)
    follower.observe()
    follower.set(mode=ClockMode.MANUAL)
    assert follower.now_ms() == START_MS + 1_000


def test_a_follower_that_is_reset_follows_again_without_its_lead() -> None:
    server = stepping(1_000)
    follower = Clock(follows=server)
    follower.observe()
    follower.set(mode=ClockMode.MANUAL, now_ms=START_MS + 90_000)
    server.set(now_ms=START_MS + 5_000)
    follower.reset()
    assert state(follower) == (*state(server)[:3], True)
    assert follower.now_ms() == START_MS + 5_000


# Time never goes back.

operations = st.one_of(
    st.tuples(st.just("observe"), st.just(0)),
    st.tuples(st.just("advance"), st.integers(-1_000, 10_000_000)),
    st.tuples(st.just("jump"), st.sampled_from((LATEST_MS - START_MS - 1, LATEST_MS - START_MS))),
    st.tuples(st.just("mode"), st.sampled_from(ClockMode)),
    st.tuples(st.just("speed"), st.sampled_from((0.001, 1.0, 777.0, 1_000_000.0))),
    st.tuples(st.just("step"), st.integers(1, 100_000)),
    st.tuples(st.just("wait"), st.integers(0, 100)),
)


@given(st.lists(st.tuples(st.sampled_from(("server", "one", "other")), operations), max_size=30))
def test_time_never_goes_back_whoever_does_whatever(
    steps: list[tuple[str, tuple[str, Any]]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        monotonic_ms = 0.0
        patch.setattr("emulator.clock._monotonic_ms", lambda: monotonic_ms)
        server = real(start_ms=START_MS)
        clocks = {"server": server, "one": Clock(follows=server), "other": Clock(follows=server)}
        last = {name: clock.now_ms() for name, clock in clocks.items()}
        for name, (verb, amount) in steps:
            clock = clocks[name]
            match verb:
                case "observe":
                    assert clock.observe() >= last[name]
                case "advance" | "jump":
                    target_ms = amount + (START_MS if verb == "jump" else clock.now_ms())
                    if clock.now_ms() <= target_ms <= LATEST_MS:
                        clock.advance_to(target_ms)
                        assert clock.now_ms() == target_ms
                    else:
                        with pytest.raises(Conflict):
                            clock.advance_to(target_ms)
                case "mode":
                    clock.set(mode=amount)
                case "speed":
                    clock.set(speed=amount)
                case "step":
                    clock.set(step_ms=amount)
                case "wait":
                    monotonic_ms += amount
            now = {name: clock.now_ms() for name, clock in clocks.items()}
            assert all(last[name] <= now[name] <= LATEST_MS for name in clocks), (last, now)
            last = now


# The bell.


def test_a_ring_wakes_everybody_who_waits() -> None:
    async def scene() -> list[bool]:
        bell = Bell()
        waiters = [asyncio.create_task(bell.wait(AT_ONCE_S)) for _ in range(3)]
        await asyncio.sleep(0)
        bell.ring()
        return await asyncio.gather(*waiters)

    assert run(scene()) == [True, True, True]


def test_a_ring_of_the_parent_wakes_those_who_wait_at_the_child_and_not_the_reverse() -> None:
    async def scene() -> tuple[bool, bool]:
        parent = Bell()
        child = Bell(parent)
        at_child = asyncio.create_task(child.wait(AT_ONCE_S))
        await asyncio.sleep(0)
        parent.ring()
        woken = await at_child
        at_parent = asyncio.create_task(parent.wait(0.02))
        await asyncio.sleep(0)
        child.ring()
        return woken, await at_parent

    assert run(scene()) == (True, False)


def test_a_ring_before_the_wait_is_not_heard() -> None:
    async def scene() -> bool:
        bell = Bell()
        bell.ring()
        return await bell.wait(0.01)

    assert run(scene()) is False


def test_a_bell_that_rings_twice_wakes_a_waiter_once() -> None:
    async def scene() -> tuple[bool, bool]:
        parent = Bell()
        child = Bell(parent)
        waiter = asyncio.create_task(child.wait(AT_ONCE_S))
        await asyncio.sleep(0)
        child.ring()
        parent.ring()
        return await waiter, await child.wait(0.01)

    assert run(scene()) == (True, False)


def test_whoever_gives_up_waiting_leaves_nothing_behind() -> None:
    async def scene() -> None:
        parent = Bell()
        child = Bell(parent)
        assert await child.wait(0.001) is False
        waiter = asyncio.create_task(child.wait(AT_ONCE_S))
        await asyncio.sleep(0)
        assert len(child._waiting) == len(parent._waiting) == 1
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert not child._waiting
        assert not parent._waiting

    run(scene())


# Waiting for an instant.


@pytest.mark.parametrize("mode", ClockMode)
@pytest.mark.parametrize("early_ms", [0, 1])
def test_an_instant_that_is_reached_is_not_waited_for(mode: ClockMode, early_ms: int) -> None:
    clock = Clock(ClockSettings(mode, start_ms=START_MS))
    assert run(clock.wait_until(START_MS - early_ms, at_most_s=0)) is True


def test_a_manual_clock_keeps_its_waiters_until_it_is_moved() -> None:
    async def scene() -> tuple[bool, bool, bool]:
        clock = manual()
        gave_up = await clock.wait_until(START_MS + 1, at_most_s=0.01)
        waiter = asyncio.create_task(clock.wait_until(START_MS + 1_000, at_most_s=AT_ONCE_S))
        await asyncio.sleep(0)
        clock.advance_to(START_MS + 1)
        return gave_up, await waiter, clock.now_ms() == START_MS + 1

    assert run(scene()) == (False, True, True)


def test_the_servers_clock_wakes_those_who_wait_for_a_clock_that_follows_it() -> None:
    async def scene() -> bool:
        server = manual()
        follower = Clock(follows=server)
        waiter = asyncio.create_task(follower.wait_until(START_MS + 1_000, at_most_s=AT_ONCE_S))
        await asyncio.sleep(0)
        server.set(now_ms=START_MS + 1_000)
        return await waiter and follower.now_ms() == START_MS + 1_000

    assert run(scene()) is True


def test_who_waits_for_no_known_instant_waits_for_the_bell_in_every_mode() -> None:
    async def scene(clock: Clock) -> tuple[bool, bool, int]:
        gave_up = await clock.wait_until(None, at_most_s=0.001)
        before_ms = clock.now_ms()
        waiter = asyncio.create_task(clock.wait_until(None, at_most_s=AT_ONCE_S))
        await asyncio.sleep(0)
        moved_ms = clock.now_ms() - before_ms
        clock.bell.ring()
        return gave_up, await waiter, moved_ms

    assert run(scene(manual())) == (False, True, 0)
    assert run(scene(stepping())) == (False, True, 0)
    assert run(scene(real(0.001, START_MS))) == (False, True, 0)


def test_a_per_request_clock_moves_to_the_instant_that_is_waited_for() -> None:
    server = stepping(1_000)
    follower, other = Clock(follows=server), Clock(follows=server)
    assert run(follower.wait_until(START_MS + 3_600_000, at_most_s=0)) is True
    assert follower.now_ms() == START_MS + 3_600_000
    assert other.now_ms() == START_MS


def test_a_per_request_clock_at_the_end_of_time_makes_its_waiters_wait() -> None:
    clock = Clock(ClockSettings(ClockMode.PER_REQUEST, start_ms=LATEST_MS))
    assert run(clock.wait_until(LATEST_MS + 1, at_most_s=0.001)) is False


def test_the_real_clock_has_reached_the_instant_when_it_wakes_its_waiter() -> None:
    async def scene(clock: Clock) -> list[int]:
        late_ms = []
        for _ in range(20):
            at_ms = clock.now_ms() + 1_000
            assert await clock.wait_until(at_ms, at_most_s=AT_ONCE_S) is True
            late_ms.append(clock.now_ms() - at_ms)
        return late_ms

    assert min(run(scene(real(1_000, START_MS)))) >= 0


def test_the_real_clock_has_reached_it_even_if_the_sleep_is_exact_to_the_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monotonic_ms = 0.1

    async def sleep_exactly(_bell: Bell, timeout_s: float) -> bool:
        nonlocal monotonic_ms
        monotonic_ms += timeout_s * 1000
        return False

    monkeypatch.setattr("emulator.clock._monotonic_ms", lambda: monotonic_ms)
    monkeypatch.setattr(Bell, "wait", sleep_exactly)
    for speed in (1.0, 3.0, 7.0, 0.3):
        clock = real(speed, START_MS)
        for ahead_ms in (1, 7, 1_000):
            at_ms = clock.now_ms() + ahead_ms
            assert run(clock.wait_until(at_ms, at_most_s=AT_ONCE_S)) is True
            assert clock.now_ms() >= at_ms


def test_the_real_clock_gives_up_on_an_instant_that_is_too_far_away() -> None:
    async def scene() -> tuple[bool, int]:
        clock = real(2.0, START_MS)
        return await clock.wait_until(START_MS + 3_600_000, at_most_s=0.01), clock.now_ms()

    reached, now_ms = run(scene())
    assert reached is False
    assert START_MS <= now_ms < START_MS + 3_600_000


def test_who_waits_for_the_real_clock_hears_of_a_change_of_speed() -> None:
    async def scene() -> bool:
        clock = real(0.001, START_MS)
        waiter = asyncio.create_task(clock.wait_until(START_MS + 3_600_000, at_most_s=AT_ONCE_S))
        await asyncio.sleep(0)
        clock.set(speed=1_000_000)
        return await waiter

    assert run(scene()) is True


def test_who_watches_a_clock_moves_nothing_and_wakes_when_it_is_moved() -> None:
    async def scene(clock: Clock) -> tuple[bool, int]:
        watcher = asyncio.create_task(clock.watch(START_MS + 1_000))
        await asyncio.sleep(0)
        asleep, moved_ms = not watcher.done(), clock.now_ms() - START_MS
        clock.advance_to(START_MS + 1)
        await asyncio.wait_for(watcher, AT_ONCE_S)
        return asleep, moved_ms

    assert run(scene(manual())) == (True, 0)
    assert run(scene(stepping())) == (True, 0)


def test_the_real_clock_has_reached_the_instant_when_it_wakes_its_watcher() -> None:
    async def scene(clock: Clock) -> int:
        await asyncio.wait_for(clock.watch(START_MS + 50), AT_ONCE_S)
        return clock.now_ms()

    assert run(scene(real(10, START_MS))) >= START_MS + 50
    assert run(scene(real(1, START_MS + 60))) >= START_MS + 60


def test_a_clock_moves_with_the_one_that_it_follows_until_it_is_set() -> None:
    server = manual()
    follower = Clock(follows=server)
    assert (follower.moves_with(server), follower.moves_with(follower)) == (True, True)
    assert not server.moves_with(follower)
    follower.set(speed=2)
    assert not follower.moves_with(server)
