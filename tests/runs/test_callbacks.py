"""Which callbacks a run owes, when, and how their URLs are shown."""

from __future__ import annotations

import pytest

from emulator.clock import START_MS
from emulator.runs.callbacks import Delivery, deliveries, masked
from emulator.runs.command import Command, Order
from emulator.runs.run import Run
from emulator.scenario.choice import Choice, Rule
from emulator.scenario.file.format import read_scenario
from emulator.scenario.script import resolve
from emulator.scenario.submission import Kind, Submission

TIMELINE = "timeline: [{pending: 1s}, {running: 9s}]\n"
END_MS = START_MS + 10_000


def run_of(text: str, *urls: str, seed: int = 1) -> Run:
    scenario = read_scenario(text, name="mine", source="mine.yaml")
    submission = Submission(Kind.PYTHON, "gpu.h100", code="pass", callback_urls=urls)
    return Run("id", seed, submission, resolve(scenario, seed), Choice(Rule.NAME, ""), START_MS)


def owed(text: str, *urls: str, seed: int = 1) -> list[tuple[str, int | None]]:
    return [(each.url, each.due_ms) for each in deliveries(run_of(text, *urls, seed=seed))]


def test_every_url_is_owed_one_call_at_the_end() -> None:
    assert owed(TIMELINE, "b", "a") == [("b", END_MS), ("a", END_MS)]
    assert owed(TIMELINE) == []


def test_a_scenario_asks_for_more_for_later_or_for_none() -> None:
    twice = owed(TIMELINE + "callbacks: {times: 2, delay: 3s}", "a", "b")
    assert twice == [("a", END_MS + 3_000), ("b", END_MS + 3_000)] * 2
    assert owed(TIMELINE + "callbacks: none", "a") == []


def test_with_a_range_each_round_has_a_delay_of_its_own_from_the_seed() -> None:
    text = TIMELINE + "callbacks: {times: 10, delay: 1s..60s}"
    rounds = [due_ms for _, due_ms in owed(text, "a")]
    assert rounds == sorted(rounds, key=lambda due_ms: due_ms or 0)
    assert len(set(rounds)) == 10
    assert all(END_MS + 1_000 <= (due_ms or 0) <= END_MS + 60_000 for due_ms in rounds)
    assert owed(text, "a") == owed(text, "a")
    assert owed(text, "a") != owed(text, "a", seed=2)


def test_without_a_fixed_end_there_is_no_instant_until_a_command_fixes_it() -> None:
    run = run_of("timeout: ignore\ntimeline: [running: until_stopped]\ncallbacks: {times: 2, delay: 1s}", "a")
    assert deliveries(run) == (Delivery("a", None), Delivery("a", None))
    aborted = run.with_command(Command(Order.ABORT, START_MS + 500))
    assert deliveries(aborted) == (Delivery("a", START_MS + 1_500),) * 2


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:9000/done", "http://127.0.0.1:9000/done"),
        (
            "https://me:secret@hooks.example/x?token=secret&a=1#secret",
            "https://***@hooks.example/x?token=***&a=***#***",
        ),
        ("https://secret@a@b/x", "https://***@b/x"),
        ("https://h?secret", "https://h?***"),
        ("https://h?a=secret=secret", "https://h?a=***"),
        ("https://h/x?", "https://h/x?***"),
        ("http://127.0.0.1\\@evil/", "http://***@evil/"),
        ("http://h/a b\n\x1b[31m", "http://h/a?b??[31m"),
        ("secret@h", "***@h"),
        ("http:secret@h", "***@h"),
    ],
)
def test_what_may_be_secret_in_a_url_is_not_shown(url: str, shown: str) -> None:
    assert masked(url) == shown
