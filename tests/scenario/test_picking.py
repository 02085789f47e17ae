"""Which alternative a run takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.scenario.file.format import read_scenario
from emulator.scenario.model import Scenario
from emulator.scenario.picking import NOTHING, Draw, Pick, Turn, pick
from tests.strategies import scenario_of, seeds

FLAKY = "variants:\n  - {weight: 3}\n  - {name: flaky, shutdown: 1s}\n"


def scenario(text: str) -> Scenario:
    return read_scenario(f"timeline: [{{running: 3s}}]\n{text}", name="mine", source="mine.yaml")


def shutdowns(text: str, submissions: int) -> list[int]:
    mine = scenario(text)
    return [pick(mine, 0, earlier)[0].shutdown.low_ms // 1000 for earlier in range(submissions)]


def test_a_scenario_without_alternatives_is_taken_as_it_is() -> None:
    plain = scenario_of()
    assert pick(plain, 7, 3) == (plain, NOTHING)
    assert pick(plain, 7, 3)[0] is plain


def test_one_run_in_four_draws_a_variant_of_weight_one_beside_three() -> None:
    flaky = scenario(FLAKY)
    picked = [pick(flaky, seed) for seed in range(4_000)]
    drawn = sum(taken.shutdown.low_ms == 1_000 for taken, _ in picked)
    assert 900 < drawn < 1_100
    assert {pick.draw for _, pick in picked} == {Draw(1, 2, None, 3, 4), Draw(2, 2, "flaky", 1, 4)}


@given(seeds, st.integers(0, 100))
def test_a_draw_follows_from_the_runs_seed_and_from_nothing_else(seed: int, earlier: int) -> None:
    assert pick(scenario(FLAKY), seed, earlier) == pick(scenario(FLAKY), seed)
    assert pick(scenario(FLAKY), seed)[1] == pick(scenario(FLAKY + "seed: 3\n"), seed)[1]


def test_submissions_take_the_entries_in_turn_and_then_the_last_again() -> None:
    assert shutdowns("sequence: [{shutdown: 1s}, {shutdown: 2s}, {}]", 5) == [1, 2, 0, 0, 0]
    assert shutdowns("sequence: [{shutdown: 1s}, {shutdown: 2s}]\nafter_sequence: repeat", 4) == [1, 2, 2, 2]


def test_a_sequence_can_start_again() -> None:
    assert shutdowns("sequence: [{shutdown: 1s}, {shutdown: 2s}, {}]\nafter_sequence: restart", 7) == [1, 2, 0] * 2 + [
        1
    ]


def test_an_entry_may_draw_among_variants() -> None:
    mine = scenario("sequence:\n  - {}\n  - name: second\n    variants: [{weight: 9, shutdown: 4s}]\n")
    assert pick(mine, 0, 0)[1] == Pick(Turn(1, 2, 1))
    taken, picked = pick(mine, 0, 6)
    assert (taken.shutdown.low_ms, picked) == (4_000, Pick(Turn(2, 2, 7, "second"), Draw(1, 1, None, 9, 9)))
    assert (taken.variants, taken.sequence) == ((), ())


@pytest.mark.parametrize(
    ("picked", "words"),
    [
        (NOTHING, ""),
        (Pick(Turn(2, 3, 2)), "submission 2 takes entry 2 of 3 of its sequence"),
        (Pick(Turn(2, 3, 2, "lost")), "submission 2 takes entry 2 of 3 (lost) of its sequence"),
        (Pick(draw=Draw(2, 2, "flaky", 1, 4)), "variant 2 of 2 (flaky), drawn by the run's seed: 1 in 4"),
        (
            Pick(Turn(3, 3, 9), Draw(1, 2, None, 3, 4)),
            "submission 9 takes entry 3 of 3 of its sequence; variant 1 of 2, drawn by the run's seed: 3 in 4",
        ),
    ],
)
def test_a_pick_says_what_it_is(picked: Pick, words: str) -> None:
    assert str(picked) == words
