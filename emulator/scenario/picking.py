"""Which of a scenario's alternatives a run takes: its turn in the sequence, and its draw among the variants."""

from __future__ import annotations

from msgspec import Struct

from emulator.noise import between
from emulator.scenario.model import Scenario
from emulator.scenario.script import DRAW_VARIANT


class Turn(Struct, frozen=True, gc=False):
    """Entry `entry` of the `of` that `sequence` has, for the tenant's `submission`th of this scenario; from 1."""

    entry: int
    of: int
    submission: int
    name: str | None = None

    def __str__(self) -> str:
        name = "" if self.name is None else f" ({self.name})"
        return f"submission {self.submission} takes entry {self.entry} of {self.of}{name} of its sequence"


class Draw(Struct, frozen=True, gc=False):
    """Variant `variant` of the `of` that `variants` has, from 1; drawn `weight` times in `out_of`."""

    variant: int
    of: int
    name: str | None
    weight: int
    out_of: int

    def __str__(self) -> str:
        name = "" if self.name is None else f" ({self.name})"
        return f"variant {self.variant} of {self.of}{name}, drawn by the run's seed: {self.weight} in {self.out_of}"


class Pick(Struct, frozen=True, gc=False):
    """What was picked; neither of both where a scenario has no alternatives."""

    turn: Turn | None = None
    draw: Draw | None = None

    def __str__(self) -> str:
        return "; ".join(str(each) for each in (self.turn, self.draw) if each is not None)


NOTHING = Pick()
"""What a scenario without alternatives leaves to pick."""


def pick(scenario: Scenario, run_seed: int, earlier: int = 0) -> tuple[Scenario, Pick]:
    """The alternative of `scenario` that a run takes, and which one that is.

    `earlier` counts the tenant's submissions that took this scenario before. The draw follows the run's own seed,
    whatever `seed` the scenario gives: that one would draw the same variant for every run.
    """
    if not scenario.sequence and not scenario.variants:
        return scenario, NOTHING
    turn = draw = None
    if scenario.sequence:
        of = len(scenario.sequence)
        index = earlier % of if scenario.restarts else min(earlier, of - 1)
        scenario = scenario.sequence[index]
        turn = Turn(index + 1, of, earlier + 1, scenario.label)
    if scenario.variants:
        out_of = sum(variant.weight for variant in scenario.variants)
        rest = between(0, out_of - 1, run_seed, DRAW_VARIANT)
        for number, variant in enumerate(scenario.variants, 1):
            rest -= variant.weight
            if rest < 0:
                draw = Draw(number, len(scenario.variants), variant.name, variant.weight, out_of)
                scenario = variant.scenario
                break
    return scenario, Pick(turn, draw)
