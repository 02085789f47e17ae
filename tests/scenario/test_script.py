"""Scripts: what one seed makes of a scenario."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.scenario.model import Scenario
from emulator.scenario.output import MAX_OUTPUT_LINES, FieldSpec, OutputEntry, OutputStream, Placeholder, Template
from emulator.scenario.ranges import DurationRange, NumberRange, Ramp
from emulator.scenario.rendering import Line, output_of
from emulator.scenario.script import Script, resolve
from emulator.scenario.timeline import Ending, ScriptedStage, StageSpec
from emulator.statuses import ACTIVE, RunStatus
from tests.strategies import lasting, scenario_of, scenarios, seeds

OUT, ERR = OutputStream.STDOUT, OutputStream.STDERR
N = Placeholder("n")
UNTIL_STOPPED = scenario_of(running_ms=None, ending=None)


def writing(*output: OutputEntry, running_ms: int | None = 10_000, seed: int = 0) -> Script:
    ending = None if running_ms is None else Ending(RunStatus.COMPLETED, 0)
    return resolve(scenario_of(running_ms=running_ms, ending=ending, output=output), seed)


def repeated(
    *text: str | Placeholder,
    every_ms: int = 1_000,
    from_ms: int = 0,
    until_ms: int | None = None,
    fields: Mapping[str, FieldSpec] | None = None,
) -> OutputEntry:
    return OutputEntry(text, OUT, from_ms, every_ms, until_ms, fields or {})


def written(script: Script) -> tuple[Line, ...]:
    output = output_of(script)
    return tuple(output.lines(0, len(output)))


def texts(script: Script) -> list[str]:
    return [line.text for line in written(script)]


def times(script: Script) -> list[int]:
    return [line.at_ms for line in written(script)]


# Durations.


def test_a_fixed_duration_is_taken_as_it_is() -> None:
    script = resolve(scenario_of(1, 2, 3, shutdown=lasting(4)), 0)
    assert script.stages == tuple(map(ScriptedStage, ACTIVE, (1, 2, 3)))
    assert script.shutdown_ms == 4


@given(scenarios(), seeds)
def test_every_draw_lies_in_its_range_and_is_the_same_for_the_same_seed(scenario: Scenario, seed: int) -> None:
    script, again = resolve(scenario, seed), resolve(scenario, seed)
    assert (script.stages, script.shutdown_ms) == (again.stages, again.shutdown_ms)
    assert written(script) == written(again)
    for spec, stage in zip(scenario.timeline, script.stages, strict=True):
        assert spec.status is stage.status
        if spec.duration is None:
            assert stage.duration_ms is None
        else:
            assert stage.duration_ms is not None
            assert spec.duration.low_ms <= stage.duration_ms <= spec.duration.high_ms
    assert scenario.shutdown.low_ms <= script.shutdown_ms <= scenario.shutdown.high_ms


def drawn(seed: int, *, scenario_seed: int | None = None) -> list[int | None]:
    wide = DurationRange(0, 10**9)
    scenario = scenario_of(timeline=tuple(StageSpec(status, wide) for status in ACTIVE), shutdown=wide)
    script = resolve(replace(scenario, seed=scenario_seed), seed)
    return [*(stage.duration_ms for stage in script.stages), script.shutdown_ms]


def test_every_stage_and_the_shutdown_draw_for_themselves() -> None:
    assert len(set(drawn(1))) == 4


def test_another_seed_draws_otherwise() -> None:
    assert len({tuple(drawn(seed)) for seed in range(100)}) == 100


def test_both_ends_of_a_range_are_drawn() -> None:
    scenario = scenario_of(timeline=(StageSpec(RunStatus.PENDING, DurationRange(5, 7)),))
    assert {resolve(scenario, seed).stages[0].duration_ms for seed in range(50)} == {5, 6, 7}


def test_a_seed_in_the_scenario_makes_all_its_runs_alike() -> None:
    assert drawn(1, scenario_seed=0) == drawn(2, scenario_seed=0) == drawn(0)
    assert drawn(1, scenario_seed=5) != drawn(1, scenario_seed=6)
    assert resolve(scenario_of(seed=5), 1).seed == 5
    assert resolve(scenario_of(), 1).seed == 1


def test_running_lasts_its_duration_or_for_ever_or_not_at_all() -> None:
    assert resolve(scenario_of(running_ms=7), 0).running_ms == 7
    assert resolve(UNTIL_STOPPED, 0).running_ms is None
    assert resolve(scenario_of(until=RunStatus.STARTING, ending=Ending(RunStatus.FAILED, 1)), 0).running_ms == 0
    assert resolve(UNTIL_STOPPED, 0).ending is None


# When lines are written.


def test_an_entry_with_one_time_writes_once() -> None:
    assert written(writing(OutputEntry(("hello\n",), ERR, 4_000))) == (Line(4_000, ERR, "hello\n"),)


def test_a_repeated_entry_writes_from_its_start_to_the_end_of_running_that_instant_included() -> None:
    assert times(writing(repeated("x", every_ms=2_500))) == [0, 2_500, 5_000, 7_500, 10_000]
    assert times(writing(repeated("x", every_ms=2_501))) == [0, 2_501, 5_002, 7_503]
    assert times(writing(repeated("x", every_ms=3_000, from_ms=4_000))) == [4_000, 7_000, 10_000]
    assert times(writing(repeated("x", from_ms=10_000))) == [10_000]
    assert times(writing(repeated("x", from_ms=10_001))) == []


def test_a_repeated_entry_writes_until_it_is_told_that_instant_included() -> None:
    assert times(writing(repeated("x", every_ms=2_000, until_ms=4_000))) == [0, 2_000, 4_000]
    assert times(writing(repeated("x", every_ms=2_000, until_ms=3_999))) == [0, 2_000]
    assert times(writing(repeated("x", from_ms=500, until_ms=500))) == [500]


@pytest.mark.parametrize("running_ms", [None, 10**9])
def test_a_repeated_entry_falls_silent_after_its_hundred_thousandth_line(running_ms: int | None) -> None:
    lines = written(writing(repeated(N, every_ms=2), running_ms=running_ms))
    assert MAX_OUTPUT_LINES == 100_000
    assert len(lines) == 100_000
    assert lines[-1] == Line(199_998, OUT, "100000")


def test_lines_come_in_order_of_time_and_those_of_one_instant_in_the_order_of_the_file() -> None:
    script = writing(
        OutputEntry(("late",), OUT, 2_000),
        repeated("a", every_ms=1_000, until_ms=2_000),
        OutputEntry(("early",), ERR, 0),
        repeated("b", every_ms=2_000, until_ms=2_000),
    )
    assert [(line.at_ms, line.text) for line in written(script)] == [
        (0, "a"),
        (0, "early"),
        (0, "b"),
        (1_000, "a"),
        (2_000, "late"),
        (2_000, "a"),
        (2_000, "b"),
    ]


# What is in them.


def test_n_counts_the_lines_of_an_entry_from_1() -> None:
    script = writing(repeated("a", N, every_ms=5_000), repeated("b", N, every_ms=4_000, from_ms=1_000))
    assert texts(script) == ["a1", "b1", "a2", "b2", "b3", "a3"]


def test_n_of_an_entry_with_one_time_is_1() -> None:
    assert texts(writing(OutputEntry((N,), OUT, 4_000))) == ["1"]


def test_a_ramp_runs_from_the_entrys_start_to_the_end_of_running() -> None:
    entry = repeated(Placeholder("loss", ".2f"), every_ms=2_000, from_ms=2_000, fields={"loss": Ramp(2.4, 0.8)})
    assert texts(writing(entry)) == ["2.40", "2.00", "1.60", "1.20", "0.80"]


def test_a_ramp_of_an_entry_with_an_end_runs_to_that_end() -> None:
    entry = repeated(Placeholder("x", "d"), every_ms=1_000, from_ms=1_000, until_ms=3_000, fields={"x": Ramp(0, 100)})
    assert texts(writing(entry)) == ["0", "50", "100"]
    assert texts(writing(entry, running_ms=None)) == ["0", "50", "100"]


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        (
            writing(repeated(Placeholder("x"), every_ms=10**6, fields={"x": Ramp(3.0, 9.0)}), running_ms=None),
            None,
        ),
        (writing(repeated(Placeholder("x"), from_ms=10_000, fields={"x": Ramp(3.0, 9.0)})), 1),
        (writing(repeated(Placeholder("x"), from_ms=5, until_ms=5, fields={"x": Ramp(3.0, 9.0)})), 1),
    ],
    ids=["running never ends", "starts at the end", "ends where it starts"],
)
def test_a_ramp_over_no_span_stays_where_it_begins(script: Script, lines: int | None) -> None:
    found = texts(script)
    assert set(found) == {"3.0"}
    assert lines is None or len(found) == lines


def test_a_whole_range_draws_whole_numbers_for_every_line_anew() -> None:
    entry = repeated(Placeholder("x"), every_ms=10, fields={"x": NumberRange(2, 5)})
    found = texts(writing(entry))
    assert len(found) == 1_001
    assert set(found) == {"2", "3", "4", "5"}


def test_a_range_with_a_fraction_draws_fractions() -> None:
    entry = repeated(Placeholder("x"), every_ms=10, fields={"x": NumberRange(2, 5.0)})
    found = [float(text) for text in texts(writing(entry))]
    assert len(set(found)) > 900
    assert 2 <= min(found) < 2.1
    assert 4.9 < max(found) <= 5


def test_two_fields_two_entries_and_two_seeds_draw_apart() -> None:
    fields = {"x": NumberRange(0, 10**9), "y": NumberRange(0, 10**9)}
    entry = OutputEntry((Placeholder("x"), " ", Placeholder("y")), OUT, 0, fields=fields)
    drawn = [text for seed in (1, 2) for each in texts(writing(entry, entry, seed=seed)) for text in each.split()]
    assert len(drawn) == len(set(drawn)) == 8


def test_a_field_used_twice_in_a_line_is_the_same_both_times() -> None:
    entry = OutputEntry((Placeholder("x"), " ", Placeholder("x")), OUT, 0, fields={"x": NumberRange(0, 10**9)})
    one, other = texts(writing(entry))[0].split()
    assert one == other


def test_one_more_entry_does_not_change_what_those_before_it_drew() -> None:
    entry = repeated(Placeholder("x"), fields={"x": NumberRange(0, 10**9)})
    more = OutputEntry(("more",), OUT, 10_000)
    assert texts(writing(entry, more))[:-1] == texts(writing(entry))


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ((Placeholder("x"),), 7, "7"),
        ((Placeholder("x"),), 0.25, "0.25"),
        ((Placeholder("x"),), "word", "word"),
        ((Placeholder("x", "d"),), 2.5, "2"),
        ((Placeholder("x", "d"),), 3.5, "4"),
        ((Placeholder("x", "5d"),), 42.4, "   42"),
        ((Placeholder("x", "05d"),), 42, "00042"),
        ((Placeholder("x", ".4f"),), 2.4, "2.4000"),
        ((Placeholder("x", "8.3f"),), -2.4, "  -2.400"),
        ((Placeholder("x", ".1e"),), 12_345, "1.2e+04"),
        ((Placeholder("x", "g"),), 0.00001, "1e-05"),
        ((Placeholder("x", ".2f"),), "word", "word"),
        (("{literal} ", Placeholder("x"), "%"), 50, "{literal} 50%"),
    ],
)
def test_a_value_is_written_as_its_format_says(template: Template, value: float | str, text: str) -> None:
    assert texts(writing(OutputEntry(template, OUT, 0, fields={"x": value}))) == [text]


@pytest.mark.parametrize(("spec", "text"), [("", "1"), ("3d", "  1"), ("03d", "001"), (".1f", "1.0")])
def test_n_takes_a_format_too(spec: str, text: str) -> None:
    assert texts(writing(OutputEntry((Placeholder("n", spec),), OUT, 0))) == [text]


@given(seeds, st.integers(0, 3))
def test_lines_do_not_depend_on_which_script_was_asked_before(seed: int, others: int) -> None:
    entry = repeated(Placeholder("x"), fields={"x": NumberRange(0, 10**9)})
    alone = texts(writing(entry, seed=seed))
    for other in range(others):
        texts(writing(entry, seed=other))
    assert texts(writing(entry, seed=seed)) == alone
