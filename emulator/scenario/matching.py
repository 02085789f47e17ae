"""Whether a scenario's `match` holds for a submission, and where the two differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from emulator.scenario.model import Match
from emulator.scenario.submission import Submission

_SHOWN = 80
_SPECIAL = frozenset("*?[")


class Difference(Struct, frozen=True, gc=False):
    """A condition that does not hold: what it asks for, and what the submission has (None: nothing)."""

    condition: str
    pattern: str
    found: str | None

    def __str__(self) -> str:
        found = "nothing" if self.found is None else f"`{self.found}`"
        return f"{self.condition}: wants `{self.pattern}`, found {found}"


class NearMiss(Struct, frozen=True, gc=False):
    """The name of a scenario whose `match` did not hold, and the conditions that failed."""

    name: str
    differences: tuple[Difference, ...]


def differences(match: Match, submission: Submission) -> tuple[Difference, ...]:
    """The conditions of `match` that `submission` does not meet, in the order of the format; none is a match.

    Long values are cut to 80 characters in `found`.
    """
    return tuple(
        Difference(condition, pattern, _shown(found))
        for condition, pattern, found in _conditions(match, submission)
        if not any(_fits(pattern, text) for text in found)
    )


def nearest(asked: Sequence[tuple[str, Match | None]], submission: Submission, count: int = 3) -> tuple[NearMiss, ...]:
    """The scenarios that came closest to matching: fewest failed conditions, then most that held.

    `asked` are their names and what each wants. Those that want nothing, and those that do match, are left out. Equals
    stay in the order given.
    """
    if not asked:  # as nearly always
        return ()
    misses = []
    for name, match in asked:
        if match is None:
            continue
        failed = differences(match, submission)
        if failed:
            held = sum(1 for _ in _conditions(match, submission)) - len(failed)
            misses.append((len(failed), -held, NearMiss(name, failed)))
    misses.sort(key=lambda miss: miss[:2])
    return tuple(miss for _, _, miss in misses[:count])


def _conditions(match: Match, submission: Submission) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Each given condition, its pattern, and the texts of which one must fit it."""
    command = " ".join(submission.command) if submission.command else None
    for condition, pattern, found in (
        ("kind", match.kind, submission.kind.value),
        ("file_name", match.file_name, submission.file_name),
        ("code", match.code, submission.code),
        ("run_name", match.run_name, submission.run_name),
    ):
        if pattern is not None:
            yield condition, pattern, () if found is None else (found,)
    for pattern in match.labels:
        yield "labels", pattern, submission.labels
    for key, pattern in match.metadata.items():
        value = submission.metadata.get(key)
        yield f"metadata.{key}", pattern, () if value is None else (value,)
    if match.hardware is not None:
        yield "hardware", match.hardware, (submission.hardware, submission.hardware.removeprefix("gpu."))
    for condition, pattern, found in (
        ("image", match.image, submission.image),
        ("command", match.command, command),
    ):
        if pattern is not None:
            yield condition, pattern, () if found is None else (found,)


def _fits(pattern: str, text: str) -> bool:
    return bool(_test_of(pattern)(text))


@lru_cache(maxsize=4096)
def _test_of(pattern: str) -> Callable[[str], object]:
    """A function that says by something true whether a text fits `pattern`."""
    core = pattern.strip("*")
    if _SPECIAL.isdisjoint(core):  # as nearly always; a regular expression takes ten times as long, and code is long
        match pattern[:1] == "*", pattern[-1:] == "*":
            case True, True:
                return lambda text: core in text
            case True, False:
                return lambda text: text.endswith(core)
            case False, True:
                return lambda text: text.startswith(core)
            case _:
                return lambda text: text == core
    # fnmatch's translation uses atomic groups, so that many stars cannot take exponential time.
    return re.compile(translate(pattern)).match


def _shown(found: tuple[str, ...]) -> str | None:
    if not found:
        return None
    text = ", ".join(dict.fromkeys(found))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def plain_match(match: Match) -> dict[str, Any]:
    """The conditions that are given, as JSON has them."""
    given = {name: getattr(match, name) for name in match.__struct_fields__}
    plain = given | {"labels": list(match.labels), "metadata": dict(match.metadata)}
    return {name: value for name, value in plain.items() if value not in (None, [], {})}


def match_from(plain: Mapping[str, Any] | None) -> Match | None:
    """The match that `plain_match` gives, from JSON that a contract has checked.

    Unlike in a file, a pattern such as `[a` is not refused: a schema cannot say it, and it fits what is spelled so.
    """
    if plain is None:
        return None
    given = dict(plain)
    labels, metadata = tuple(given.pop("labels", ())), MappingProxyType(dict(given.pop("metadata", {})))
    return Match(labels=labels, metadata=metadata, **given)
