"""Whether one shell-style pattern fits whatever another one fits."""

from __future__ import annotations

import re
from collections import deque
from fnmatch import translate

_MOST_STEPS = 200_000


def covers(wide: str, narrow: str) -> bool:
    """Whether every text that fits `narrow` fits `wide` as well: `*.py` covers `oom-*.py`.

    Exact, but for patterns so long that the search is given up; those count as not covered.
    """
    if wide == narrow or wide == "*":
        return True
    wide_parts, narrow_parts = _parts(wide), _parts(narrow)
    fitting = _fitting({*wide_parts, *narrow_parts})
    # Both patterns are read at once, `wide` in every way in which it can be read, `narrow` in one way at a time.
    # Where `narrow` ends and `wide` cannot, the text read so far tells them apart.
    begin = (0, _with_stars_passed({0}, wide_parts))
    seen, waiting, steps = {begin}, deque([begin]), 0
    while waiting:
        at, readings = waiting.popleft()
        if at == len(narrow_parts):
            if len(wide_parts) not in readings:
                return False
            continue
        part = narrow_parts[at]
        following = {(at + 1, readings)} if part == "*" else set()
        for character in fitting[part]:
            steps += len(readings) + 1
            moved = {
                each if wide_parts[each] == "*" else each + 1
                for each in readings
                if each < len(wide_parts) and character in fitting[wide_parts[each]]
            }
            following.add((at if part == "*" else at + 1, _with_stars_passed(moved, wide_parts)))
        if steps > _MOST_STEPS:
            return False
        waiting.extend(following - seen)
        seen |= following
    return True


def _with_stars_passed(places: set[int], parts: list[str]) -> frozenset[int]:
    """`places`, and those behind the stars that may stand for nothing."""
    # Two stars never stand side by side, so that one step passes all there are.
    return frozenset(places | {place + 1 for place in places if place < len(parts) and parts[place] == "*"})


def _parts(pattern: str) -> list[str]:
    """`pattern` cut into what stands for one character each, and stars."""
    parts: list[str] = []
    while pattern:
        found = re.match(r"\[!?+\]?+[^\]]*\]", pattern)
        part = found[0] if found else pattern[0]
        pattern = pattern[len(part) :]
        if part != "*" or parts[-1:] != ["*"]:
            parts.append(part)
    return parts


def _fitting(parts: set[str]) -> dict[str, frozenset[str]]:
    """The characters that fit each part, of a few that stand for all others.

    Between two neighbours of those that the parts name, no part tells one character from another.
    """
    named = {ord(character) for part in parts for character in part}
    alphabet = [chr(code) for code in sorted({0} | named | {min(code + 1, 0x10FFFF) for code in named})]
    compiled = {part: re.compile(translate(part)) for part in parts}
    return {part: frozenset(each for each in alphabet if pattern.match(each)) for part, pattern in compiled.items()}
