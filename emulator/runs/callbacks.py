"""Completion callbacks: which calls of which URLs a run owes, and when, as a function of the run."""

from __future__ import annotations

import re

from msgspec import Struct

from emulator.noise import between
from emulator.runs.run import Run
from emulator.scenario.script import DRAW_CALLBACK

_PARTS = re.compile(
    r"(?P<scheme>[^:/?#]*://)?(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?", re.DOTALL
)
_UNPRINTABLE = re.compile(r"[^!-~]")
MASK = "***"


class Delivery(Struct, frozen=True):
    """One call of one URL. `due_ms` is None as long as nothing fixes the run's end."""

    url: str
    due_ms: int | None


def deliveries(run: Run) -> tuple[Delivery, ...]:
    """All that `run` owes, in the order of their instants, then of the URLs as they were submitted.

    An instant is the run's end and the delay that its scenario asks for, one delay for each round of the URLs.
    """
    if not run.submission.callback_urls:
        return ()
    plan, end = run.script.scenario.callbacks, run.course.end
    rounds = []
    for number in range(plan.times):
        delay_ms = plan.delay.low_ms
        if plan.delay.high_ms > delay_ms:
            delay_ms = between(delay_ms, plan.delay.high_ms, run.script.seed, DRAW_CALLBACK, number)
        rounds.append(None if end is None else end.at_ms + delay_ms)
    in_order = sorted(rounds, key=lambda due_ms: due_ms or 0)
    return tuple(Delivery(url, due_ms) for due_ms in in_order for url in run.submission.callback_urls)


def masked(url: str) -> str:
    """`url` as it may be shown: without what may be secret in it, its user and the values of its query."""
    parts = _PARTS.fullmatch(url)
    if parts is None:
        return MASK
    _, at, host = parts["authority"].rpartition("@")
    query = "&".join(_masked_field(field) for field in (parts["query"] or "").removeprefix("?").split("&"))
    shown = "".join(
        (
            parts["scheme"] or "",
            f"{MASK}@" if at else "",
            host,
            parts["path"],
            f"?{query}" if parts["query"] else "",
            f"#{MASK}" if parts["fragment"] else "",
        )
    )
    return _UNPRINTABLE.sub("?", shown)


def _masked_field(field: str) -> str:
    name, equals, _ = field.partition("=")
    return f"{name}={MASK}" if equals else MASK
