"""What a run has written: pieces, texts, lines."""

import pytest
from msgspec.structs import replace

from emulator.runs.output import (
    RECORD_LIMIT_BYTES,
    Piece,
    last_lines,
    last_mib,
    log_lines,
    next_piece_ms,
    recorded,
    written,
)
from emulator.runs.run import Run
from emulator.scenario import rendering
from emulator.scenario.model import TimeLimit
from emulator.scenario.output import OutputEntry, Placeholder
from emulator.scenario.ranges import NumberRange
from emulator.scenario.rendering import MAX_KEPT_LINES, Texts, output_of
from emulator.scenario.script import resolve
from emulator.scenario.timeline import Ending
from emulator.statuses import RunStatus
from tests.runs.writing import BOOM, END_MS, ERR, OUT, RUNNING_MS, line, writing
from tests.strategies import T0, abort, complete, force, lasting, run_of, scenario_of, stop


def forget_outputs() -> None:
    rendering._outputs = rendering._Kept()
    rendering._timetables = rendering._Kept()


def texts(run: Run, now_ms: int) -> list[str]:
    return [piece.text for piece in written(run, now_ms)]


# When a piece is written.


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        (T0, []),
        (RUNNING_MS - 1, []),
        (RUNNING_MS, ["first\n"]),
        (RUNNING_MS + 1_999, ["first\n"]),
        (RUNNING_MS + 2_000, ["first\n", "second\n"]),
        (END_MS - 1, ["first\n", "second\n"]),
        (END_MS, ["first\n", "second\n", "last\n"]),
        (END_MS + 10**9, ["first\n", "second\n", "last\n"]),
    ],
)
def test_a_piece_is_written_at_its_instant_and_one_at_the_end_still_is(now_ms: int, expected: list[str]) -> None:
    run = writing(line(0, "first\n"), line(2_000, "second\n"), line(10_000, "last\n"), line(10_001, "never\n"))
    assert texts(run, now_ms) == expected


def test_a_piece_knows_its_instant_and_its_stream() -> None:
    run = writing(line(0, "a\n"), line(500, "b\n", ERR))
    assert written(run, END_MS) == [Piece(RUNNING_MS, OUT, "a\n"), Piece(RUNNING_MS + 500, ERR, "b\n")]


def test_a_run_that_never_runs_writes_nothing() -> None:
    run = run_of(scenario_of(output=(line(0, "a\n"),)), abort(10))
    assert written(run, END_MS) == []
    assert list(log_lines(run, END_MS)) == []
    assert next_piece_ms(run, T0) is None


@pytest.mark.parametrize(("aborted_ms", "expected"), [(1_999, ["a\n"]), (2_000, ["a\n", "b\n"])])
def test_a_run_that_is_cut_writes_what_was_due_by_then(aborted_ms: int, expected: list[str]) -> None:
    scenario = scenario_of(output=(line(0, "a\n"), line(2_000, "b\n"), line(3_000, "c\n")))
    run = run_of(scenario, abort(44 + aborted_ms / 1000))
    assert texts(run, END_MS) == expected


def test_a_run_goes_on_writing_while_it_shuts_down() -> None:
    output = (line(0, "a\n"), line(4_000, "shutting down\n"), line(4_001, "never\n"))
    run = run_of(scenario_of(output=output, shutdown=lasting(3_000)), stop(45))
    assert texts(run, RUNNING_MS + 10_000) == ["a\n", "shutting down\n"]


def test_output_counts_from_a_forced_start_of_running() -> None:
    run = run_of(scenario_of(output=(line(1_000, "a\n"),)), force(10, RunStatus.RUNNING))
    assert written(run, T0 + 10_999) == []
    assert written(run, T0 + 11_000) == [Piece(T0 + 11_000, OUT, "a\n")]


def test_a_reader_may_skip_what_it_has() -> None:
    run = writing(line(0, "a\n"), line(1_000, "b\n"), line(2_000, "c\n"), ending=BOOM)
    whole = written(run, END_MS)
    assert [piece.text for piece in whole] == ["a\n", "b\n", "c\n", "boom\n"]
    for skip in range(6):
        assert written(run, END_MS, skip=skip) == whole[skip:]
    assert written(run, RUNNING_MS + 1_000, skip=1) == whole[1:2]


def test_the_next_piece_is_the_next_one_due() -> None:
    run = writing(line(0, "a\n"), line(2_000, "b\n"), line(2_000, "c\n"), line(10_000, "d\n"), line(10_001, "no\n"))
    assert next_piece_ms(run, T0) == RUNNING_MS
    assert next_piece_ms(run, RUNNING_MS - 1) == RUNNING_MS
    assert next_piece_ms(run, RUNNING_MS) == RUNNING_MS + 2_000
    assert next_piece_ms(run, RUNNING_MS + 1_999) == RUNNING_MS + 2_000
    assert next_piece_ms(run, RUNNING_MS + 2_000) == END_MS
    assert next_piece_ms(run, END_MS) is None


# The farewell of a failed run.


@pytest.mark.parametrize(
    ("error", "last", "farewell"),
    [
        ("boom", None, "boom\n"),
        ("boom\n\n", None, "boom\n"),
        ("Traceback:\n  boom", None, "Traceback:\n  boom\n"),
        ("boom", "something else\n", "boom\n"),
        ("boom", "boom, and what it was about\n", None),
        ("boom", "boom", None),
        ("boom", "RuntimeError: boom\n", None),
        ("boom\n", "Traceback:\nRuntimeError: boom\n\n", None),
    ],
)
def test_a_failure_says_its_error_on_stderr_unless_the_last_text_there_tells_it(
    error: str, last: str | None, farewell: str | None
) -> None:
    output = [] if last is None else [line(5_000, last, ERR)]
    run = writing(*output, ending=Ending(RunStatus.FAILED, 1, error))
    own = [] if last is None else [Piece(RUNNING_MS + 5_000, ERR, last)]
    added = [] if farewell is None else [Piece(END_MS, ERR, farewell)]
    assert written(run, END_MS - 1) == own
    assert written(run, END_MS) == own + added


def test_the_error_on_stdout_or_early_on_stderr_does_not_count() -> None:
    run = writing(line(0, "boom\n", ERR), line(1_000, "more\n", ERR), line(2_000, "boom\n", OUT), ending=BOOM)
    assert texts(run, END_MS) == ["boom\n", "more\n", "boom\n", "boom\n"]


def test_an_error_that_the_run_did_not_live_to_write_is_said_in_its_stead() -> None:
    scenario = scenario_of(output=(line(20_000, "boom\n", ERR),))
    run = run_of(scenario, force(50, RunStatus.FAILED, "boom"))
    assert written(run, END_MS) == [Piece(T0 + 50_000, ERR, "boom\n")]


@pytest.mark.parametrize(
    "ending",
    [
        Ending(RunStatus.FAILED, 1),
        Ending(RunStatus.FAILED, 1, ""),
        Ending(RunStatus.SYSTEM_FAILURE, None, "boom"),
        Ending(RunStatus.ABORTED, 137, "boom"),
        Ending(RunStatus.CANCELLED, 143, "boom"),
        Ending(RunStatus.COMPLETED, 0),
    ],
    ids=lambda ending: f"{ending.status}-{ending.error}",
)
def test_only_a_failure_of_user_code_with_an_error_says_farewell(ending: Ending) -> None:
    assert texts(writing(line(0, "a\n"), ending=ending), END_MS) == ["a\n"]


def test_a_run_that_is_ended_from_outside_says_no_farewell() -> None:
    scenario = scenario_of(ending=BOOM, time_limit=TimeLimit.IGNORE)
    for command in (abort(60), stop(60), complete(60)):
        assert written(run_of(scenario, command), END_MS + 10**6) == []
    assert written(run_of(scenario_of(ending=BOOM), timeout_s=1), END_MS + 10**6) == []


# Texts for the record.


def test_a_text_is_that_of_one_stream_or_of_both_in_order() -> None:
    run = writing(line(0, "a"), line(1, "b", ERR), line(2, "c\n"))
    assert recorded(run, END_MS) == Texts(stdout="ac\n", stderr="b", combined="abc\n")
    assert recorded(run, RUNNING_MS + 1) == Texts(stdout="a", stderr="b", combined="ab")
    assert recorded(run, RUNNING_MS) == Texts(stdout="a", stderr="", combined="a")
    assert recorded(run, RUNNING_MS - 1) == Texts(stdout="", stderr="", combined="")


def test_the_farewell_is_in_the_text_of_stderr_and_in_the_combined_one() -> None:
    run = writing(line(0, "a\n"), ending=BOOM)
    assert recorded(run, END_MS - 1) == Texts(stdout="a\n", stderr="", combined="a\n")
    assert recorded(run, END_MS) == Texts(stdout="a\n", stderr="boom\n", combined="a\nboom\n")


@pytest.mark.parametrize("lines", [MAX_KEPT_LINES, MAX_KEPT_LINES + 1])
def test_texts_are_the_same_whether_they_are_kept_or_rendered_anew(lines: int) -> None:
    count = OutputEntry((Placeholder("n"), "\n"), OUT, 0, 1, until_ms=lines - 2)
    run = run_of(scenario_of(running_ms=lines, output=(count, line(lines, "last", ERR))))
    for now_ms in (RUNNING_MS + 7, RUNNING_MS + lines):
        pieces = written(run, now_ms)
        assert recorded(run, now_ms) == Texts(
            stdout="".join(piece.text for piece in pieces if piece.stream is OUT),
            stderr="".join(piece.text for piece in pieces if piece.stream is ERR),
            combined="".join(piece.text for piece in pieces),
        )


@pytest.mark.parametrize("character", ["x", "\U0001f600"])
def test_a_record_has_the_last_mebibyte_of_each_text(character: str) -> None:
    long = character * (RECORD_LIMIT_BYTES // 4) + "!"
    found = recorded(writing(line(0, long), line(1, "b" * RECORD_LIMIT_BYTES + "c", ERR)), END_MS)
    assert found.stdout == (long if character == "x" else long[1:])
    assert found.stderr == found.combined == "b" * (RECORD_LIMIT_BYTES - 1) + "c"


@pytest.mark.parametrize("over", [-1, 0])
def test_a_text_of_up_to_a_mebibyte_is_whole(over: int) -> None:
    text = "x" * (RECORD_LIMIT_BYTES + over)
    assert last_mib(text) == text


def test_of_a_longer_text_the_last_mebibyte_is_kept() -> None:
    assert RECORD_LIMIT_BYTES == 1_048_576
    assert last_mib("a" + "b" * (RECORD_LIMIT_BYTES - 1) + "c") == "b" * (RECORD_LIMIT_BYTES - 1) + "c"


@pytest.mark.parametrize(("character", "size"), [("é", 2), ("→", 3), ("\U0001f600", 4)])
def test_a_cut_never_splits_a_character(character: str, size: int) -> None:
    for padding in range(size):
        text = character * (RECORD_LIMIT_BYTES // size + 5) + "x" * padding
        whole_characters = (RECORD_LIMIT_BYTES - padding) // size
        assert last_mib(text) == character * whole_characters + "x" * padding


@pytest.mark.parametrize("character", ["x", "\u2192"])
def test_a_record_of_many_lines_has_the_last_mebibyte_of_each_text_and_renders_no_more(
    character: str, rendered: list[int]
) -> None:
    lines = 3 * MAX_KEPT_LINES
    wide = OutputEntry((Placeholder("n"), character * 1_000, "\n"), OUT, 0, 2)
    narrow = OutputEntry((Placeholder("n"), character, "\n"), ERR, 1, 10)
    run = run_of(scenario_of(running_ms=2 * lines, output=(wide, narrow), ending=BOOM, time_limit=TimeLimit.IGNORE))
    for now_ms in (RUNNING_MS + 100, RUNNING_MS + lines, RUNNING_MS + 2 * lines):
        found = recorded(run, now_ms)
        assert len(rendered) < 4_000  # of 7,201
        rendered.clear()
        assert recorded(run, now_ms) == found
        assert rendered == []
        fresh = replace(run, script=resolve(run.script.scenario, run.seed))
        pieces = written(fresh, now_ms)
        assert found == Texts(
            stdout=last_mib("".join(piece.text for piece in pieces if piece.stream is OUT)),
            stderr=last_mib("".join(piece.text for piece in pieces if piece.stream is ERR)),
            combined=last_mib("".join(piece.text for piece in pieces)),
        )
        forget_outputs()
        rendered.clear()


# The last lines.


def test_the_last_lines_are_of_both_streams_and_no_other_is_rendered(rendered: list[int]) -> None:
    count = OutputEntry(("line ", Placeholder("n"), "\n"), OUT, 0, 1)
    run = run_of(scenario_of(running_ms=1_000, output=(count, line(999, "beside\n", ERR))))
    assert last_lines(run, RUNNING_MS - 1, 3) == []
    assert last_lines(run, RUNNING_MS + 1, 3) == ["line 1", "line 2"]
    rendered.clear()
    assert last_lines(run, END_MS, 3) == ["line 1000", "beside", "line 1001"]
    assert len(rendered) == 2


def test_a_farewell_is_the_last_line() -> None:
    run = writing(line(0, "a\nb\n"), line(1, "c\n"), ending=BOOM)
    assert last_lines(run, END_MS, 2) == ["c", "boom"]
    assert last_lines(run, END_MS, 9) == ["a", "b", "c", "boom"]


def test_what_is_rendered_is_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.scenario.rendering.MAX_WEIGHT", 1_000)
    forget_outputs()
    drawn = OutputEntry((Placeholder("x"), "." * 1_000, "\n"), OUT, 0, 100, fields={"x": NumberRange(0, 9)})
    scenario = scenario_of(running_ms=10_000, output=(drawn,))
    runs = [run_of(scenario, seed=seed) for seed in range(20)]
    outputs = [output_of(run.script) for run in runs]
    assert output_of(runs[0].script) is outputs[0]  # nothing is rendered yet
    for run in runs:
        outputs.append(output_of(run.script))
        recorded(run, END_MS)
    assert output_of(runs[-1].script) is outputs[-1]
    assert output_of(runs[0].script) is not outputs[20]
    kept = rendering._outputs._values.values()
    assert sum(output.weight for output in kept) <= 1_000 + max(output.weight for output in kept)
