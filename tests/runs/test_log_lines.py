"""A run's output cut into lines, as the logs show it."""

import time

from emulator.runs.output import Log, LogLine, log_lines, recorded, written
from emulator.scenario.output import FieldSpec, OutputEntry, Placeholder
from emulator.scenario.ranges import NumberRange
from tests.runs.writing import BOOM, END_MS, ERR, OUT, RUNNING_MS, line, writing
from tests.strategies import run_of, scenario_of


def test_a_log_line_is_dated_by_the_piece_that_completed_it() -> None:
    run = writing(line(0, "epoch 1"), line(1_000, " done\nepoch 2"), line(2_000, "\n\nbye\n"))
    assert list(log_lines(run, END_MS)) == [
        LogLine(RUNNING_MS + 1_000, OUT, "epoch 1 done"),
        LogLine(RUNNING_MS + 2_000, OUT, "epoch 2"),
        LogLine(RUNNING_MS + 2_000, OUT, ""),
        LogLine(RUNNING_MS + 2_000, OUT, "bye"),
    ]


def test_a_line_without_a_break_comes_when_the_run_is_over() -> None:
    run = writing(line(0, "whole\npart"), line(1_000, "error", ERR))
    complete_lines = [LogLine(RUNNING_MS, OUT, "whole")]
    assert list(log_lines(run, END_MS - 1)) == complete_lines
    rest = [LogLine(END_MS, OUT, "part"), LogLine(END_MS, ERR, "error")]
    assert list(log_lines(run, END_MS)) == complete_lines + rest


def test_the_lines_of_two_streams_do_not_run_together() -> None:
    run = writing(line(0, "out ", OUT), line(1, "err ", ERR), line(2, "more\n", OUT), line(3, "more\n", ERR))
    assert [(entry.stream, entry.message) for entry in log_lines(run, END_MS)] == [
        (OUT, "out more"),
        (ERR, "err more"),
    ]


def test_a_line_ends_at_a_line_feed_and_at_no_other_break() -> None:
    run = writing(line(0, "a\rb\x0bc\x85d\u2028e\n"))
    assert [entry.message for entry in log_lines(run, END_MS)] == ["a\rb\x0bc\x85d\u2028e"]


def test_the_farewell_is_a_log_line_too() -> None:
    run = writing(line(0, "part", ERR), ending=BOOM)
    assert list(log_lines(run, END_MS)) == [LogLine(END_MS, ERR, "partboom")]


def test_a_progress_bar_of_many_pieces_and_no_line_break_is_read_in_no_time() -> None:
    bar = OutputEntry(("\r", Placeholder("n"), " of 10000, loss 0.123, and so on"), OUT, 0, 1)
    run = run_of(scenario_of(running_ms=9_999, output=(bar,)))
    assert len(written(run, END_MS)) == 10_000  # rendered here, so that it is not counted below
    begun = time.perf_counter()
    messages = [entry.message for entry in log_lines(run, END_MS)]
    assert time.perf_counter() - begun < 0.5  # 0.01 s is plenty
    assert messages == [recorded(run, END_MS).combined]


def test_of_a_log_only_the_lines_that_are_asked_for_are_rendered(rendered: list[int]) -> None:
    step = OutputEntry((Placeholder("n"), "\n"), OUT, 0, 1)
    run = run_of(scenario_of(running_ms=10_000, output=(step, line(5, "begun ", ERR), line(9_999, "ended", ERR))))
    log = Log(run, END_MS, since_ms=RUNNING_MS + 1_000)
    assert len(log) == 9_002
    assert next(log.instants()) == END_MS
    assert rendered == []
    assert log.last(3) == [
        LogLine(END_MS - 1, OUT, "10000"),
        LogLine(END_MS, OUT, "10001"),
        LogLine(END_MS, ERR, "begun ended"),
    ]
    assert len(rendered) == 2  # the others are constant
    assert log.last(0) == []


def test_line_breaks_are_counted_in_what_is_filled_in() -> None:
    fields: dict[str, FieldSpec] = {"two": "a\nb\n", "none": "", "n": "never\nused", "x": NumberRange(0, 9)}
    text = ("|", Placeholder("two"), Placeholder("none"), Placeholder("n", "3d"), Placeholder("x"))
    empty = OutputEntry((Placeholder("none"),), OUT, 9_000, fields=fields)
    run = run_of(scenario_of(running_ms=10_000, output=(OutputEntry(text, OUT, 0, 4_000, fields=fields), empty)))
    for now_ms in (RUNNING_MS, RUNNING_MS + 9_500, END_MS):
        log = Log(run, now_ms)
        assert len(log) == len(log.last(10**6)) == recorded(run, now_ms).stdout.count("\n") + (now_ms == END_MS)
