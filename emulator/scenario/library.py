"""The scenarios in force: built in, from the user's directories, and added while the server runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from emulator.documents import SCENARIO
from emulator.errors import NotFound, Problem, ScenarioError, StartError
from emulator.scenario.format import read_scenario
from emulator.scenario.matching import differences
from emulator.scenario.model import Scenario
from emulator.scenario.submission import Submission

BUILT_IN = "built-in"
"""The source of the scenarios that come with the emulator."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
_SUFFIXES = (".yaml", ".yml")
_FileReading: TypeAlias = "Scenario | ScenarioError"


class InvalidScenarios(StartError):
    """One or more scenario files are invalid; the message has a line for every problem of every file."""

    def __init__(self, errors: tuple[ScenarioError, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


@dataclass(frozen=True, slots=True)
class Library:
    """Scenarios in the order in which they are asked whether they match. A value: a change gives a new one.

    `added` came at run time, `filed` from the user's directories. `broken` holds the problems of files that
    became invalid after the start, by path; the last valid version of those stays in force.
    """

    built_in: tuple[Scenario, ...] = ()
    filed: tuple[Scenario, ...] = ()
    added: tuple[Scenario, ...] = ()
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=lambda: MappingProxyType({}))
    _by_name: Mapping[str, Scenario] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[str, Scenario] = {}
        for scenario in (*self.added, *self.filed, *self.built_in):
            by_name.setdefault(scenario.name, scenario)
        object.__setattr__(self, "_by_name", MappingProxyType(by_name))

    @classmethod
    def load(cls, directories: Sequence[Path] = (), *, built_in: Path) -> Library:
        """What `directories` hold, earlier ones first, then the built-in scenarios; files in order of name.

        A name that an earlier file has shadows later ones. Raises StartError where a directory cannot be
        read, InvalidScenarios (a StartError) with the problems of all files.
        """
        own = [_read_file(path, BUILT_IN) for path in _scenario_files(built_in)]
        filed = [_read_file(path) for directory in directories for path in _scenario_files(directory)]
        errors = tuple(each for each in (*filed, *own) if isinstance(each, ScenarioError))
        if errors:
            raise InvalidScenarios(errors)
        return cls(_scenarios_of(own), _scenarios_of(filed))

    def scenarios(self) -> tuple[Scenario, ...]:
        """All in force, each name once, in the order in which they are asked."""
        return tuple(self._by_name.values())

    def get(self, name: str) -> Scenario:
        """The scenario called `name`. Raises NotFound with the nearest names."""
        scenario = self._by_name.get(name)
        if scenario is None:
            raise NotFound(f"there is no scenario `{name[:100]}`: {self._hint(name)}")
        return scenario

    def _hint(self, name: str) -> str:
        near = get_close_matches(name[:100].lower(), list(self._by_name), n=3, cutoff=0.5)
        if near:
            return f"did you mean {' or '.join(f'`{each}`' for each in near)}?"
        return f"there are {', '.join(sorted(self._by_name)[:30]) or 'none'}"

    def first_match(self, submission: Submission) -> Scenario | None:
        """The first scenario with a `match` that holds, or None."""
        for scenario in self._by_name.values():
            if scenario.match is not None and not differences(scenario.match, submission):
                return scenario
        return None

    def has_file(self, name: str) -> bool:
        """Whether a file, the user's or a built-in one, gives `name`."""
        return any(scenario.name == name for scenario in (*self.filed, *self.built_in))

    def with_added(self, scenario: Scenario) -> Library:
        """With `scenario` added at run time, in place of one that was added under its name before."""
        others = tuple(each for each in self.added if each.name != scenario.name)
        return replace(self, added=(*others, scenario))

    def without_added(self, name: str) -> Library:
        """Without the scenario that was added as `name`. Raises NotFound if none was."""
        others = tuple(each for each in self.added if each.name != name)
        if len(others) == len(self.added):
            raise NotFound(f"no scenario `{name[:100]}` was added at run time")
        return replace(self, added=others)

    def reloaded(self, directories: Sequence[Path]) -> Library:
        """With the files of `directories` as they are now; what is unchanged stays the same object.

        A file that became invalid keeps its last valid version and its problems are in `broken`. Raises
        StartError where a directory cannot be read any more.
        """
        read = [_read_file(path) for directory in directories for path in _scenario_files(directory)]
        last = {scenario.source: scenario for scenario in self.filed}
        broken = {each.source: each.problems for each in read if isinstance(each, ScenarioError)}
        current: list[_FileReading] = []
        for each in read:
            known = last.get(each.source)
            keep = known is not None and (isinstance(each, ScenarioError) or each.digest == known.digest)
            current.append(known if keep and known is not None else each)
        return replace(self, filed=_scenarios_of(current), broken=MappingProxyType(broken))


def check_name(name: str) -> str | None:
    """Why `name` cannot name a scenario, or None."""
    if _NAME.fullmatch(name) is not None:
        return None
    near = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:100]
    hint = f", such as `{near}`" if near else ""
    return f"`{name[:100]}` is no name for a scenario: use small letters, digits, `-`, `_` and `.`{hint}"


def _scenario_files(directory: Path) -> list[Path]:
    """The scenario files of `directory`, in order of name."""
    try:
        found = [path for path in directory.iterdir() if path.suffix in _SUFFIXES and not path.is_dir()]
    except NotADirectoryError:
        raise StartError(f"{directory} is a file: scenarios are read from directories") from None
    except OSError as error:
        raise StartError(f"cannot read the scenarios in {directory}: {error.strerror}") from None
    return sorted((path for path in found if not path.name.startswith(".")), key=lambda path: path.name)


def _read_file(path: Path, source: str | None = None) -> _FileReading:
    """The scenario of one file, or what is wrong with it."""
    shown = str(path)
    name_problem = check_name(path.stem)
    if name_problem is not None:
        return ScenarioError(shown, (Problem(name_problem),))
    try:
        with path.open("rb") as file:
            content = file.read(SCENARIO.max_bytes + 1)
        # A cut file is over the limit, and is refused for that, whatever character the cut splits.
        text = content.decode(errors="strict" if len(content) <= SCENARIO.max_bytes else "replace")
        return read_scenario(text, name=path.stem, source=source or shown)
    except OSError as error:
        return ScenarioError(shown, (Problem(f"cannot be read: {error.strerror}"),))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return ScenarioError(shown, (Problem("this is not UTF-8 text", line=line),))
    except ScenarioError as error:
        return ScenarioError(shown, error.problems)


def _scenarios_of(readings: Iterable[_FileReading]) -> tuple[Scenario, ...]:
    """The valid ones; all that give one name stay, and the first is in force."""
    return tuple(each for each in readings if isinstance(each, Scenario))
