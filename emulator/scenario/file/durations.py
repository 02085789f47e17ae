"""Durations and ranges of them as scenario files write them, and what people write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from emulator.documents import Node, ScalarNode, SequenceNode
from emulator.documents.syntax import cut
from emulator.scenario.file.grammar import Findings, Form, Schema, nearest, shown
from emulator.scenario.ranges import DurationRange
from emulator.times import DURATION_PATTERN, format_duration, parse_duration_ms

LONGEST_MS = 3650 * 86_400_000
"""Ten years: more is a slip of the pen."""

UNTIL_STOPPED = "until_stopped"

# `[0-9]`, since validators disagree on whether `\d` means the digits of all scripts.
_DURATION = DURATION_PATTERN.removeprefix("^").removesuffix("$")
_SIZES_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_UNIT_WORDS = {
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), "ms"),
}
_PART = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*([a-zA-Z]+)\s*(?:,|and\b)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})", re.ASCII)
_LOOSE_RANGE = re.compile(r"\s*(.+?)\s*(?:\.{2,}|…|–|-|\bto\b)\s*(.+?)\s*")


@dataclass(frozen=True)
class Duration(Form[int]):
    """`4s`, `1m30s`: milliseconds."""

    words: str = "a duration such as `4s` or `1m30s`"

    def read(self, node: Node, path: str, findings: Findings) -> int:
        if not isinstance(node, ScalarNode):
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")
        ms = parse_duration_ms(node.value) if isinstance(node.value, str) else None
        if ms is None:
            if isinstance(node.value, str) and ".." in node.value and _range_guess(node.value):
                raise findings.refused(node, path, f"expected one duration, found the range `{cut(node.text)}`")
            raise findings.refused(node, path, _explained(node.text, self.words))
        if ms > LONGEST_MS:
            message = f"`{cut(node.text)}` is longer than {format_duration(LONGEST_MS)}, the longest there is"
            raise findings.refused(node, path, message, beyond_schema=True)
        return ms

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_DURATION}$"}


@dataclass(frozen=True)
class DurationOrRange(Form[DurationRange]):
    """`4s` or `35s..50s`."""

    words: str = "a duration such as `4s`, or a range such as `35s..50s`"

    def read(self, node: Node, path: str, findings: Findings) -> DurationRange:
        text = node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else ""
        if re.fullmatch(f"{_DURATION}\\.\\.{_DURATION}", text) is None:
            guess = _range_guess(text) or _listed_range(node)
            if guess is not None:
                raise findings.refused(node, path, f"a range has two dots and a unit at both ends: write `{guess}`")
            ms = Duration(self.words).read(node, path, findings)
            return DurationRange(ms, ms)
        low, high = (parse_duration_ms(part) or 0 for part in text.split(".."))
        if low > high:
            turned = "..".join(reversed(text.split("..")))
            message = f"the range `{text}` runs backwards: write `{turned}`"
            raise findings.refused(node, path, message, beyond_schema=True)
        if high > LONGEST_MS:
            message = f"`{cut(text)}` goes beyond {format_duration(LONGEST_MS)}, the longest there is"
            raise findings.refused(node, path, message, beyond_schema=True)
        return DurationRange(low, high)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_DURATION}(?:\\.\\.{_DURATION})?$"}


@dataclass(frozen=True)
class StageLength(Form[DurationRange | None]):
    """`4s`, `35s..50s`, or `until_stopped` (None)."""

    words: str = f"a duration such as `4s`, a range such as `35s..50s`, or `{UNTIL_STOPPED}`"

    def read(self, node: Node, path: str, findings: Findings) -> DurationRange | None:
        text = node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else ""
        if text == UNTIL_STOPPED:
            return None
        if nearest(text, (UNTIL_STOPPED,), {"forever": UNTIL_STOPPED, "inf": UNTIL_STOPPED}) is not None:
            message = f"expected {self.words}, found {shown(node)}: did you mean `{UNTIL_STOPPED}`?"
            raise findings.refused(node, path, message)
        return DurationOrRange(self.words).read(node, path, findings)

    def schema(self) -> Schema:
        return {"anyOf": [{"const": UNTIL_STOPPED}, DurationOrRange().schema()]}


def _explained(text: str, words: str) -> str:
    """Why `text` is no duration, with the right one if it can be guessed."""
    bare = text.strip()
    if not bare:
        return f"expected {words}, found nothing"
    if _NUMBER.fullmatch(bare):
        whole = "." not in bare
        seconds, minutes = (format_duration(int(Decimal(bare) * size)) for size in (1000, 60_000))
        seconds, minutes = (f"{bare}s", f"{bare}m") if whole else (seconds, minutes)
        return f"`{cut(bare)}` has no unit: write `{seconds}` or `{minutes}`"
    if bare.startswith("-") and _guess(bare[1:]) is not None:
        return f"`{cut(bare)}` is negative, and no duration is"
    clock = _CLOCK.fullmatch(bare)
    if clock is not None:
        large, middle, small = (int(part or 0) for part in clock.groups())
        ms = (large * 3600 + middle * 60 + small) * 1000
        hint = f"write `{format_duration(ms)}`"
        if clock[1] is None:
            hint += f", or `{format_duration(ms * 60)}` if hours and minutes are meant"
        return f"`{cut(bare)}` is a time of day, not a duration: {hint}"
    guess = _guess(bare)
    if guess is None:
        return f"expected {words}, found {f'the text `{cut(bare)}`'}"
    reason = "is not how durations are written"
    if re.fullmatch(r"[\d.]+[a-z]+", bare) and "." in bare:
        reason = "has decimals, and durations have none"
    return f"`{cut(bare)}` {reason}: write `{format_duration(guess)}`"


def _guess(text: str) -> int | None:
    """The milliseconds that were most likely meant: `5 min`, `1.5s`, `30s1m`, `PT5M`."""
    text = re.sub(r"^P(?:(\d+)D)?T?", lambda m: f"{m[1]}d" if m[1] else "", text.strip())
    total, end = Decimal(0), 0
    while end < len(text):
        part = _PART.match(text, end)
        unit = part and _UNIT_WORDS.get(part[2].lower())
        if part is None or unit is None:
            return None
        total += Decimal(part[1]) * _SIZES_MS[unit]
        end = part.end()
    return int(total) if end and total < LONGEST_MS else None


def _range_guess(text: str) -> str | None:
    """`35s..50s` for `35..50s`, `35s-50s`, `35s to 50s`, `35 .. 50 s`; None for anything else."""
    match = _LOOSE_RANGE.fullmatch(text)
    if match is None:
        return None
    first, second = match.groups()
    high = _guess(second)
    if high is None:
        bare = _NUMBER.fullmatch(second) and _NUMBER.fullmatch(first)
        return f"{first}s..{second}s" if bare and "." not in first + second else None
    unit = re.sub(r"[\d.\s]", "", second)
    low = _guess(first) if _NUMBER.fullmatch(first) is None else _guess(first + unit)
    return None if low is None else f"{format_duration(low)}..{format_duration(high)}"


def _listed_range(node: Node) -> str | None:
    """`35s..50s` for `[35s, 50s]`."""
    if not isinstance(node, SequenceNode) or len(node.items) != 2:
        return None
    texts = [item.text for item in node.items if isinstance(item, ScalarNode)]
    return _range_guess("..".join(texts)) if len(texts) == 2 else None
