"""What a benchmark tells: rows of one table, each with its target and whether that was met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HEAD = "| measured | ours | | beside | theirs | ratio | target | |\n|---|---|---|---|---|---|---|---|"
_REASON = 200
_ROOT = str(Path(__file__).parents[1])


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of ours, in `unit`, and if there is a `peer`, its own from the same run.

    A target is for the ratio where there is a peer, and for our figure where there is none. `paired` is the ratio
    when it is not that of the two figures: the median of rounds, in which both took turns.
    """

    measured: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    paired: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours by theirs; None without a peer."""
        if self.paired is not None or self.theirs is None:
            return self.paired
        return self.ours / self.theirs

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return "" if self.at_least is None else f"at least {self.at_least:g}"

    @property
    def met(self) -> bool | None:
        """Whether the target was reached; None without one."""
        judged = self.ours if self.ratio is None else self.ratio
        if self.at_most is not None:
            return judged <= self.at_most
        return None if self.at_least is None else judged >= self.at_least

    def __str__(self) -> str:
        theirs = "" if self.theirs is None else _figure(self.theirs)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        verdict = {None: "", True: "met", False: "**MISSED**"}[self.met]
        told = "; ".join(filter(None, (verdict, self.note)))
        ours = f"{_figure(self.ours)} | {self.unit}"
        return f"| {self.measured} | {ours} | {self.peer} | {theirs} | {ratio} | {self.target} | {told} |"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that could not be measured here, and why. It stands in the table, so that nobody overlooks it."""

    measured: str
    reason: str

    def __str__(self) -> str:
        # Of one line, since a table's row is one; and where this checkout lies is nobody else's business.
        reason = " ".join(self.reason.replace(_ROOT, ".").split())
        return f"| {self.measured} | | | | | | | **SKIPPED**: {reason[:_REASON]} |"


Line = Row | Skipped


def summary(lines: Iterable[Line]) -> str:
    """How many targets were met and missed, and how much was skipped."""
    lines = list(lines)
    verdicts = [line.met for line in lines if isinstance(line, Row)]
    skipped = sum(isinstance(line, Skipped) for line in lines)
    return f"{verdicts.count(True)} targets met, {verdicts.count(False)} missed, {skipped} measurements skipped"


def _figure(value: float) -> str:
    """Three significant digits at least, and no more than are steady."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
