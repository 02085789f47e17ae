"""The outbox: what falls due when, in which order, and what becomes of runs that change or go."""

from __future__ import annotations

from msgspec.structs import replace

from emulator.clock import START_MS
from emulator.runs.callbacks import deliveries
from emulator.runs.command import Command, Order
from emulator.runs.run import Run
from emulator.tenants.outbox import Notice, NoticeState, Outbox
from tests.runs.test_callbacks import run_of

SHORT = "timeline: [running: 2s]\n"
LONG = "timeline: [running: 9s]\n"
OPEN = "timeout: ignore\ntimeline: [running: until_stopped]\n"


def named(name: str, text: str, *urls: str) -> Run:
    return replace(run_of(text, *urls), execution_id=name)


def fallen(outbox: Outbox, age_ms: int) -> list[tuple[str, str]]:
    return [(notice.run.execution_id, notice.delivery.url) for notice in outbox.fall_due(START_MS + age_ms)]


def test_deliveries_fall_due_once_in_the_order_of_their_instants_runs_and_urls() -> None:
    outbox = Outbox()
    for run in (named("long", LONG, "b", "a"), named("short", SHORT, "x"), named("other", LONG, "y")):
        outbox.put(run)
    assert outbox.next_due_ms() == START_MS + 2_000
    assert fallen(outbox, 1_999) == []
    assert fallen(outbox, 2_000) == [("short", "x")]
    assert fallen(outbox, 60_000) == [("long", "b"), ("long", "a"), ("other", "y")]
    assert fallen(outbox, 60_000) == []
    assert (outbox.owes, outbox.next_due_ms()) == (False, None)


def test_a_command_moves_what_is_owed() -> None:
    outbox, run, stays = Outbox(), named("open", OPEN, "a"), named("stays", LONG, "b")
    outbox.put(run)
    outbox.put(stays)
    assert (outbox.owes, outbox.next_due_ms()) == (True, START_MS + 9_000)
    outbox.revise(run.with_command(Command(Order.ABORT, START_MS + 500)))
    outbox.revise(stays.with_command(Command(Order.ABORT, START_MS + 700)))
    assert outbox.next_due_ms() == START_MS + 500
    assert fallen(outbox, 60_000) == [("open", "a"), ("stays", "b")]


def test_an_end_that_was_told_is_not_told_again() -> None:
    outbox = Outbox()
    run = named("run", SHORT + "callbacks: {times: 2, delay: 0s..20s}", "a")
    outbox.put(run)
    first_ms = outbox.next_due_ms()
    assert first_ms is not None
    outbox.fall_due(first_ms)
    outbox.revise(run.with_command(Command(Order.ABORT, START_MS + 1)))
    assert fallen(outbox, 60_000) == [("run", "a")]
    assert not outbox.owes


def test_a_run_is_shown_with_what_it_will_owe_and_with_what_became_of_it() -> None:
    outbox, run = Outbox(), named("run", SHORT + "callbacks: {times: 2, delay: 3s}", "a")
    outbox.put(run)
    assert [(each.delivery.due_ms, each.state) for each in outbox.of(run)] == [
        (START_MS + 5_000, NoticeState.WAITING)
    ] * 2
    first, second = outbox.fall_due(START_MS + 5_000)
    first.state = NoticeState.DELIVERED
    assert outbox.of(run) == [first, second]


def test_a_run_that_is_gone_still_owes_and_is_no_longer_remembered() -> None:
    outbox, run = Outbox(), named("run", SHORT + "callbacks: {delay: 1h}", "a")
    outbox.put(run)
    outbox.forget(run)
    (notice,) = outbox.fall_due(START_MS + 2 * 3_600_000)
    assert notice.delivery.url == "a"
    assert outbox.deleted() == (run,)
    outbox.close(notice, NoticeState.DELIVERED, None)
    assert outbox.of(run)[0] is not notice
    assert outbox.deleted() == ()


def test_what_is_settled_does_not_fall_due_and_the_rest_does() -> None:
    """As after a restore: the calendar still has what was settled, and passes it over."""
    outbox = Outbox()
    half, whole = named("half", SHORT + "callbacks: {times: 2, delay: 3s}", "a", "b"), named("whole", SHORT, "x")
    for run in (half, whole):
        outbox.put(run)
    settled = {
        place: Notice(half, delivery, NoticeState.DELIVERED) for place, delivery in enumerate(deliveries(half)[:3])
    }
    outbox.settle("half", settled)
    outbox.settle("whole", {0: Notice(whole, deliveries(whole)[0], NoticeState.FAILED)})
    assert outbox.next_due_ms() == START_MS + 5_000
    assert fallen(outbox, 60_000) == [("half", "b")]
    assert (outbox.owes, outbox.next_due_ms()) == (False, None)
    assert [each.state for each in outbox.of(half)] == [NoticeState.DELIVERED] * 3 + [NoticeState.WAITING]


def test_a_run_that_goes_is_remembered_until_the_last_of_what_it_owes_is_settled() -> None:
    outbox, run = Outbox(), named("run", SHORT + "callbacks: {times: 2, delay: 3s}", "a")
    outbox.put(run)
    first, second = outbox.fall_due(START_MS + 5_000)
    outbox.close(second, NoticeState.FAILED, "why")
    outbox.forget(run)
    assert outbox.deleted() == (run,)
    outbox.close(first, NoticeState.DELIVERED, None)
    assert outbox.deleted() == ()
    assert (second.state, second.detail) == (NoticeState.FAILED, "why")


def test_a_run_that_owes_nothing_is_forgotten_at_once() -> None:
    outbox, run = Outbox(), named("run", SHORT, "a")
    outbox.put(run)
    (notice,) = outbox.fall_due(START_MS + 2_000)
    outbox.close(notice, NoticeState.DELIVERED, None)
    outbox.forget(run)
    assert outbox.deleted() == ()
    assert outbox.of(run)[0] is not notice


def test_a_reset_forgets_everything() -> None:
    outbox = Outbox()
    outbox.put(named("run", SHORT, "a"))
    outbox.forget(named("run", SHORT, "a"))
    outbox.clear()
    assert outbox.deleted() == ()
    assert (outbox.owes, outbox.next_due_ms(), fallen(outbox, 60_000)) == (False, None, [])


def test_a_run_without_urls_or_callbacks_costs_nothing() -> None:
    outbox = Outbox()
    outbox.put(named("plain", SHORT))
    outbox.put(named("none", SHORT + "callbacks: none", "a"))
    assert not outbox.owes
