"""Durations and instants as text."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.times import (
    DURATION_PATTERN,
    LATEST_MS,
    format_duration,
    format_instant,
    parse_duration_ms,
    parse_instant_ms,
)

LAST_WRITABLE_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
FIRST_WRITABLE_MS = -62_135_596_800_000  # 0001-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("500ms", 500),
        ("4s", 4_000),
        ("1m30s", 90_000),
        ("2h", 7_200_000),
        ("1d2h3m4s5ms", 93_784_005),
        ("5m", 300_000),
        ("5ms", 5),
        ("5m5ms", 300_005),
        ("0s", 0),
        ("90s", 90_000),
        ("999999d", 86_399_913_600_000),
        ("999999h", 3_599_996_400_000),
        ("999999m", 59_999_940_000),
        ("999999s", 999_999_000),
        ("999999999ms", 999_999_999),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, ms: int) -> None:
    assert parse_duration_ms(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "s",
        "4 s",
        "1.5s",
        "-4s",
        "+4s",
        "4S",
        "1s1m",
        "4s4s",
        "1000000d",
        "1000000h",
        "1000000m",
        "1000000s",
        "1000000000ms",
        "4s\n",
        "٤s",
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    assert parse_duration_ms(text) is None


@given(st.integers(0, 999_999 * 86_400_000))
def test_a_formatted_duration_reads_back_as_the_same(ms: int) -> None:
    assert parse_duration_ms(format_duration(ms)) == ms


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0s"), (1, "1ms"), (999, "999ms"), (1_000, "1s"), (90_000, "1m30s"), (86_400_000, "1d")],
)
def test_a_duration_is_written_with_its_largest_units_and_no_empty_ones(ms: int, text: str) -> None:
    assert format_duration(ms) == text


@given(st.from_regex(r"(?:[0-9]{0,7}(?:d|h|ms|m|s)){0,6}", fullmatch=True) | st.text(max_size=12))
def test_the_pattern_for_schemas_accepts_what_is_parsed_and_nothing_else(text: str) -> None:
    # JSON Schema's `$` is the end of the text; Python's also fits before a last line break.
    accepted = re.search(DURATION_PATTERN.replace("$", r"\Z"), text) is not None
    assert accepted == (parse_duration_ms(text) is not None)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01t00:00:00z", 1_767_225_600_000),
        ("2026-01-01 00:00:00Z", 1_767_225_600_000),
        ("2026-01-01T00:00:00", 1_767_225_600_000),
        ("2026-01-01T02:00:00+02:00", 1_767_225_600_000),
        ("2025-12-31T18:30:00-05:30", 1_767_225_600_000),
        ("2026-01-01T00:00:00.5Z", 1_767_225_600_500),
        ("2026-01-01T00:00:00.0019999Z", 1_767_225_600_001),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2016-12-31T23:59:60.25Z", 1_483_228_800_250),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ],
)
def test_an_instant_is_read_in_every_form_of_rfc_3339(text: str, ms: int) -> None:
    assert parse_instant_ms(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-1-1T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+0200",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Zjunk",
        "2026-01-01T00:00:00Z\n",
        "٢٠٢٦-01-01T00:00:00Z",
        "1767225600",
    ],
)
def test_anything_else_is_no_instant(text: str) -> None:
    assert parse_instant_ms(text) is None


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("9999-12-31T23:59:59.999Z", LAST_WRITABLE_MS),
        ("9999-12-31T23:59:60Z", LAST_WRITABLE_MS),
        ("9999-12-31T23:59:59-23:59", LAST_WRITABLE_MS),
        ("0001-01-01T00:00:00Z", FIRST_WRITABLE_MS),
        ("0001-01-01T00:00:00+23:59", FIRST_WRITABLE_MS),
        ("0000-12-31T23:59:59Z", FIRST_WRITABLE_MS),
        ("0000-01-01T00:00:00Z", FIRST_WRITABLE_MS),
    ],
)
def test_an_instant_that_cannot_be_written_moves_to_the_nearest_that_can(text: str, ms: int) -> None:
    assert parse_instant_ms(text) == ms
    assert parse_instant_ms(format_instant(ms)) == ms


@pytest.mark.parametrize("digits", [3, 9, 179, 180, 181, 5_000])
def test_a_long_fraction_changes_nothing(digits: int) -> None:
    fraction = "123" + "0" * (digits - 3)
    assert parse_instant_ms(f"2026-01-01T00:00:00.{fraction}Z") == 1_767_225_600_123


def test_the_zone_behind_a_long_fraction_counts() -> None:
    assert parse_instant_ms(f"2026-01-01T02:00:00.{'0' * 180}+02:00") == 1_767_225_600_000


def test_what_follows_a_long_fraction_has_to_be_a_zone() -> None:
    assert parse_instant_ms(f"2026-01-01T00:00:00.{'0' * 180}junk") is None


def test_the_leap_day_of_the_year_zero_is_an_instant() -> None:
    assert parse_instant_ms("0000-02-29T00:00:00Z") == FIRST_WRITABLE_MS


@given(st.integers(FIRST_WRITABLE_MS, LAST_WRITABLE_MS))
def test_a_formatted_instant_reads_back_as_the_same(ms: int) -> None:
    text = format_instant(ms)
    assert parse_instant_ms(text) == ms
    assert datetime.fromisoformat(text) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


@given(st.lists(st.integers(FIRST_WRITABLE_MS, LAST_WRITABLE_MS), min_size=2))
def test_formatted_instants_sort_as_the_instants_do(instants: list[int]) -> None:
    assert sorted(map(format_instant, instants)) == [format_instant(ms) for ms in sorted(instants)]


def test_an_instant_is_written_with_milliseconds_and_zone() -> None:
    assert format_instant(0) == "1970-01-01T00:00:00.000Z"
    assert format_instant(-1) == "1969-12-31T23:59:59.999Z"
    assert format_instant(LATEST_MS) == "2100-01-01T00:00:00.000Z"
