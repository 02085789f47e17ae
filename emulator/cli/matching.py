"""What `scenario match` says: which scenario a submission gets, and what kept the others from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from emulator.scenario.choice import Choice, Rule, choose
from emulator.scenario.library import Library
from emulator.scenario.matching import Difference, differences
from emulator.scenario.model import Scenario
from emulator.scenario.submission import Submission


class Other(Struct, frozen=True):
    """A scenario with a `match` that did not decide, and the conditions that failed; none if it came too late."""

    scenario: Scenario
    differences: tuple[Difference, ...]


class Result(Struct, frozen=True):
    scenario: Scenario
    choice: Choice
    others: tuple[Other, ...]

    def view(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario.name,
            "rule": self.choice.rule,
            "detail": self.choice.detail,
            "others": [
                {
                    "scenario": other.scenario.name,
                    "source": other.scenario.source,
                    "holds": not other.differences,
                    "failed": [
                        {"condition": each.condition, "expected": each.pattern, "found": each.found}
                        for each in other.differences
                    ],
                }
                for other in self.others
            ],
        }


def matched(library: Library, submission: Submission, default_scenario: str) -> Result:
    """The others come nearest first.

    Raises NotFound for an unknown default, Invalid where the submission names an unknown scenario.
    """
    default = library.get(default_scenario)
    scenario, choice = choose(submission, None, (), library, lambda: default)
    others = (
        Other(each, differences(each.match, submission))
        for each in library.scenarios()
        if each.match is not None and not (each is scenario and choice.rule is Rule.MATCH)
    )
    return Result(scenario, choice, tuple(sorted(others, key=lambda other: len(other.differences))))


def as_text(result: Result) -> Iterator[str]:
    yield f"{result.scenario.name}  by {result.choice.rule}: {result.choice.detail}"
    if not result.others:
        return
    yield ""
    yield "Not chosen:"
    for other in result.others:
        yield f"  {other.scenario.name}  {other.scenario.source}"
        if not other.differences:
            before = "is asked first" if result.choice.rule is Rule.MATCH else f"goes before every {Rule.MATCH}"
            what = result.scenario.name if result.choice.rule is Rule.MATCH else f"a {result.choice.rule}"
            yield f"    its match holds, too, and {what} {before}"
        for difference in other.differences:
            yield f"    {difference}"
