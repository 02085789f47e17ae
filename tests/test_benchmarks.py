"""The harness of benchmarks/ reads what wrk writes, and judges by it; nothing here is timed."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmarks.effort import Effort
from benchmarks.emulated import store_of
from benchmarks.errors import UnexpectedAnswer
from benchmarks.load import Contender, Load, Result, in_turn, load_of, send_once
from benchmarks.page import BEGIN, END, PAGE, tables, with_results
from benchmarks.table import Line, Row, Skipped, summary

WRITTEN = """Running 2s test @ http://127.0.0.1:1
  2 threads and 16 connections
FIGURES requests=20000 us=2000000 p50_us=800 p99_us=4200 refused={refused} broken={broken}
"""


def written(refused: int = 0, broken: int = 0) -> str:
    return WRITTEN.format(refused=refused, broken=broken)


def test_what_wrk_wrote_becomes_throughput_latency_and_cpu_for_each_request() -> None:
    assert load_of(written(), 1.5, refused=False) == Load(10_000, 0.8, 4.2, 75.0)


@pytest.mark.parametrize(
    ("text", "refused", "message"),
    [
        (written(refused=1), False, "of 20000 answers 1 were refusals, 0 were lost"),
        (written(refused=19_999), True, "of 20000 answers 19999 were refusals, 0 were lost"),
        (written(broken=2), False, "of 20000 answers 0 were refusals, 2 were lost"),
        ("unable to connect\n", False, "wrk wrote no figures: unable to connect\n"),
    ],
)
def test_a_slice_with_other_answers_than_asked_for_counts_for_nothing(text: str, refused: bool, message: str) -> None:
    with pytest.raises(UnexpectedAnswer) as raised:
        load_of(text, 1.0, refused=refused)
    assert str(raised.value) == message


def test_the_ratio_is_the_median_of_the_rounds_and_not_that_of_the_medians() -> None:
    ours, theirs = (
        Result(name, tuple(Load(each, 1, 1, 1) for each in throughputs))
        for name, throughputs in (("ours", (10, 40, 20)), ("theirs", (5, 80, 4)))
    )
    assert (ours.requests_per_s, theirs.requests_per_s) == (20, 5)
    assert ours.ratio(theirs, lambda load: load.requests_per_s) == 2


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("a", 10, "ms"), None),
        (Row("a", 10, "ms", at_most=10), True),
        (Row("a", 10.1, "ms", at_most=10), False),
        (Row("a", 10, "MB/s", at_least=10), True),
        (Row("a", 10, "ms", "b", 20, at_most=0.5), True),
        (Row("a", 10, "ms", "b", 20, at_least=0.51), False),
        (Row("a", 10, "ms", "b", 20, paired=0.6, at_most=0.5), False),
    ],
)
def test_a_target_is_for_the_ratio_and_without_a_peer_for_the_figure(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_a_row_tells_its_figures_its_target_and_its_verdict() -> None:
    row = Row("submit", 5_000, "req/s", "Prism", 2_500, at_least=2.5, note="95 µs")
    assert str(row) == "| submit | 5,000 | req/s | Prism | 2,500 | 2.00 | at least 2.5 | **MISSED**; 95 µs |"
    assert str(Skipped("moto", "not\ninstalled")) == "| moto | | | | | | | **SKIPPED**: not installed |"


def test_results_take_the_place_of_those_of_the_page() -> None:
    lines: list[Line] = [Row("a", 1, "ms", at_most=2), Row("b", 3, "ms", at_most=2), Skipped("c", "no wrk")]
    assert summary(lines) == "1 targets met, 1 missed, 1 measurements skipped"
    results = tables({"Start": lines})
    once = with_results(PAGE.read_text("utf-8"), results)
    assert with_results(once, results) == once
    assert once.partition(BEGIN)[2].partition(END)[0].strip() == results
    with pytest.raises(ValueError, match="no place for results"):
        with_results("a page without marks", results)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_wrk_gets_from_a_store_what_each_measurement_asks_for() -> None:
    """A slice whose answers are of another kind raises."""
    with store_of(3) as store:
        server = store.server
        listed = json.loads(send_once(server, store.requests["list of 20"]))
        metrics = json.loads(send_once(server, store.requests["metrics of 240 points"]))
        results = in_turn(
            [Contender(name, server, store.requests[name]) for name in ("record", "422")],
            Effort(rounds=1, seconds=1),
            connections=2,
            warm_up=False,
        )
    assert (len(listed), len(metrics["gpuPowerWatt"])) == (20, 240)
    assert list(store.requests)[-1] == "submit"  # it changes what the others would see
    assert list(results) == ["record", "422"]
    assert all(result.p99_ms >= result.p50_ms > 0 for result in results.values())
