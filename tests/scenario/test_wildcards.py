"""Whether one pattern fits all that another one fits, held against trying texts out."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.scenario.file.wildcards import covers

# Every text of up to five of these. `e` stands for all characters that no pattern below names.
TEXTS = ["".join(text) for length in range(6) for text in product("abcde", repeat=length)]
patterns = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]", "[a-c]", "[b-d]"]), max_size=4).map("".join)


@given(patterns, patterns)
def test_it_agrees_with_trying_every_short_text(wide: str, narrow: str) -> None:
    assert covers(wide, narrow) == all(fnmatchcase(text, wide) for text in TEXTS if fnmatchcase(text, narrow))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("*", ""),
        ("*.py", "oom-*.py"),
        ("*import*", "*import torch*"),
        ("?*", "*?"),
        ("[a-z]*", "[b-y]x"),
        ("[!0-9]", "[a-z]"),
        ("[]a]", "]"),
        ("[[]*", "[[]x"),
        ("a\nb", "a\nb"),
        ("a?b", "a\nb"),
    ],
)
def test_the_wider_pattern_covers_the_narrower_one(wide: str, narrow: str) -> None:
    assert covers(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("oom-*.py", "*.py"),
        ("", "*"),
        ("*a", "*"),
        ("[a-y]", "[a-z]"),
        ("[!m]", "[a-z]"),
        ("[ad]", "[a-d]"),
        ("A*", "a*"),
        ("?", ""),
        ("*x*y*", "*y*x*"),
    ],
)
def test_a_pattern_that_misses_one_text_does_not_cover(wide: str, narrow: str) -> None:
    assert not covers(wide, narrow)


def test_a_search_that_would_take_long_is_given_up() -> None:
    started = perf_counter()
    assert not covers("*a" * 200 + "?" * 200, "*a" * 199 + "[a-z]*" * 200)
    assert perf_counter() - started < 5
