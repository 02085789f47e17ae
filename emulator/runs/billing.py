"""What a run costs."""

from __future__ import annotations

from emulator.hardware.profiles import find_profile
from emulator.runs.run import Run
from emulator.scenario.submission import Kind
from emulator.statuses import STARTING

MILLIONTHS = 1_000_000
"""Of a US dollar: no smaller part of it is billed."""


def billed_usd(run: Run, now_ms: int) -> float:
    """US dollars from the assignment of a machine to the end, or to now; 0.0 while none is assigned.

    A parent costs nothing itself: its children are billed, each at the price of its machine (inferred).

    Runs are billed per second of wall-clock time (Lyceum docs). That the clock starts with the machine's
    assignment, and the prices, are inferred. Rounded to a millionth of a dollar.
    """
    course = run.course
    assigned_ms = course.started_ms(STARTING)
    if assigned_ms is None or assigned_ms > now_ms or run.submission.kind is Kind.GPU_SELECTION:
        return 0.0
    profile = find_profile(run.hardware)
    if profile is None:
        return 0.0
    end = course.ended_by(now_ms)
    busy_ms = (end.at_ms if end else now_ms) - assigned_ms
    return round(busy_ms / 1000 * profile.price_per_second, 6)


def billed_millionths(run: Run, now_ms: int) -> int:
    """The same in millionths of a dollar, which add up exactly in any order."""
    return round(billed_usd(run, now_ms) * MILLIONTHS)
