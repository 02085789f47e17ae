"""Steps and windows, as Prometheus takes them."""

import re

import pytest

from emulator.errors import BadQuery
from emulator.telemetry.window import Window, parse_step_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("5", 5000),
        ("5.5", 5500),
        ("0.5", 500),
        (".5", 500),
        ("1e1", 10_000),
        ("+5", 5000),
        ("1_0", 10_000),
        ("0.001", 1),
        ("500ms", 500),
        ("5s", 5000),
        ("1m", 60_000),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
        ("1w", 604_800_000),
        ("1y", 31_536_000_000),
        ("1m30s", 90_000),
        ("1h30m", 5_400_000),
        ("1m5ms", 60_005),
    ],
)
def test_a_step_is_seconds_or_a_duration(text: str, ms: int) -> None:
    assert parse_step_ms(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0s",
        "-5",
        "-5s",
        "NaN",
        "30s1m",
        "1m1m",
        "1.5m",
        "5S",
        "5 s",
        " 5",
        "5 ",
        "5sec",
        "1M",
        "PT5S",
        "abc",
        "",
        "Inf",
        "1e400",
        "0x5",
        "5us",
        "0.0004",
        "1__0",
        "_1",
        "+5s",
        "٥",
        "300y",
        "9" * 39,
        "1" * 60,
        "5\n",
    ],
)
def test_what_prometheus_refuses_is_no_step(text: str) -> None:
    assert parse_step_ms(text) is None


def test_the_end_counts() -> None:
    assert list(Window(1000, 4000, 1000).clipped(0, 9999)) == [1000, 2000, 3000, 4000]
    assert list(Window(1000, 3999, 1000).clipped(0, 9999)) == [1000, 2000, 3000]
    assert list(Window(1000, 1000, 1000).clipped(0, 9999)) == [1000]


def test_clipping_keeps_the_grid_of_the_start() -> None:
    asked = Window(1000, 10_000, 3000)
    assert list(asked.clipped(2000, 9999)) == [4000, 7000]
    assert list(asked.clipped(4000, 10_000)) == [4000, 7000, 10_000]
    assert list(asked.clipped(4001, 6999)) == []
    assert list(asked.clipped(20_000, 30_000)) == []


def test_11001_points_pass_and_11002_do_not() -> None:
    assert len(Window(0, 11_000_000, 1000).clipped(0, 10**9)) == 11_001
    assert len(Window(0, 11_000_999, 1000).clipped(0, 10**9)) == 11_001
    with pytest.raises(BadQuery, match="11,000 points"):
        Window(0, 11_001_000, 1000)


@pytest.mark.parametrize("span_ms", [11_001, 11_000_000, 72 * 3_600_000, 400 * 86_400_000])
def test_too_many_points_are_told_the_shortest_step_that_fits(span_ms: int) -> None:
    with pytest.raises(BadQuery) as refused:
        Window(0, span_ms, 1)
    told = re.search(r"a step of (\S+) at least", str(refused.value))
    assert told
    step_ms = parse_step_ms(told[1])
    assert step_ms is not None
    assert Window(0, span_ms, step_ms).step_ms == step_ms
    shorter_ms = step_ms - (1 if step_ms <= 1000 else 1000)
    if shorter_ms:
        with pytest.raises(BadQuery):
            Window(0, span_ms, shorter_ms)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(BadQuery, match="end timestamp must not be before start time"):
        Window(1000, 999, 1000)
