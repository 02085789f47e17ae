"""The scenarios in force: built in, from the user's directories, and added while the server runs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from emulator.documents import SCENARIO
from emulator.errors import NotFound, Problem, ScenarioError, StartError
from emulator.scenario.file.alternatives import NAME_PATTERN
from emulator.scenario.file.draft import Draft
from emulator.scenario.file.format import salvage_draft
from emulator.scenario.lineage import Lineage, Outcome, candidate, candidate_of, name_hint
from emulator.scenario.matching import differences
from emulator.scenario.model import BUILT_IN, Scenario
from emulator.scenario.submission import Submission

_NAME = re.compile(NAME_PATTERN, re.ASCII)
_SUFFIXES = (".yaml", ".yml")
_FileReading: TypeAlias = "Draft | ScenarioError"


class InvalidScenarios(StartError):
    """One or more scenario files are invalid; the message has a line for every problem of every file."""

    def __init__(self, errors: tuple[ScenarioError, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class Library:
    """Scenarios in the order in which they are asked whether they match. A value: a change gives a new one.

    `added` came at run time, `filed` from the user's directories. Every one is composed with what it extends here,
    so that a change of that one reaches it. Where they no longer fit, the last valid version stays in force and the
    problems are in `broken`, as are those of `refused`: files that became invalid after the start, by path.
    """

    def __init__(
        self,
        built_in: Sequence[Scenario] = (),
        filed: Sequence[Scenario] = (),
        added: Sequence[Scenario] = (),
        refused: Mapping[str, tuple[Problem, ...]] | None = None,
    ) -> None:
        self.refused = MappingProxyType(dict(refused or {}))
        broken = dict(self.refused)
        outcomes = iter(Lineage([candidate(each) for each in (*added, *filed, *built_in)]).outcomes())

        def composed(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
            """What `scenarios` come to, whose turn among the outcomes it is."""
            found = []
            for scenario, outcome in zip(scenarios, outcomes, strict=False):
                found.append(outcome.scenario or scenario)
                if outcome.error is not None:
                    broken.setdefault(_place_of(scenario), outcome.error.problems)
            return tuple(found)

        self.added, self.filed, self.built_in = composed(added), composed(filed), composed(built_in)
        self.broken = MappingProxyType(broken)
        self._by_name: dict[str, Scenario] = {}
        for scenario in (*self.added, *self.filed, *self.built_in):
            self._by_name.setdefault(scenario.name, scenario)
        self.matching = tuple(scenario for scenario in self._by_name.values() if scenario.match is not None)

    @classmethod
    def load(cls, directories: Sequence[Path] = (), *, built_in: Path) -> Library:
        """What `directories` hold, earlier ones first, then the built-in scenarios; files in order of name.

        A name that an earlier file has shadows later ones. Raises StartError where a directory cannot be
        read, InvalidScenarios (a StartError) with the problems of all files.
        """
        paths = files_of(directories)
        own_paths = scenario_files(built_in)
        found = _read([*((path, None) for path in paths), *((path, BUILT_IN) for path in own_paths)])
        errors = [error for _, error in found if error is not None]
        if errors:
            raise InvalidScenarios(tuple(errors))
        scenarios = [scenario for scenario, _ in found if scenario is not None]
        return cls(tuple(scenarios[len(paths) :]), tuple(scenarios[: len(paths)]))

    def scenarios(self) -> tuple[Scenario, ...]:
        """All in force, each name once, in the order in which they are asked."""
        return tuple(self._by_name.values())

    def find(self, name: str) -> Scenario | None:
        """The scenario called `name`, or None."""
        return self._by_name.get(name)

    def get(self, name: str) -> Scenario:
        """The scenario called `name`. Raises NotFound with the nearest names, or with what is wrong with its file."""
        scenario = self._by_name.get(name)
        if scenario is None:
            for source, problems in self.invalid.items():
                if Path(source).stem == name:
                    reason = problems[0].located(source)
                    raise NotFound(f"the scenario `{name}` is not in force, since its file is invalid: {reason}")
            raise NotFound(f"there is no scenario `{name[:100]}`: {name_hint(name, self._by_name)}")
        return scenario

    def files(self) -> dict[str, Scenario]:
        """By the path of each of the user's files, what is in force of it."""
        return {scenario.source: scenario for scenario in self.filed}

    @property
    def invalid(self) -> Mapping[str, tuple[Problem, ...]]:
        """By path, what is wrong with the files of which nothing is in force, since they never were valid."""
        files = self.files() if self.refused else {}
        return {source: problems for source, problems in self.refused.items() if source not in files}

    def problems_of(self, scenario: Scenario | Draft) -> tuple[Problem, ...]:
        """Why a newer version of `scenario` is not in force."""
        return self.broken.get(_place_of(scenario), ())

    def read(self, text: str, *, name: str, source: str) -> Scenario:
        """The scenario that `text` describes, for `with_added`; what it extends is found here.

        Raises ScenarioError with every problem found.
        """
        draft = salvage_draft(text, name=name, source=source)
        others = (each for each in self.added if each.name != name)
        candidates = [candidate_of(name, draft), *map(candidate, (*others, *self.filed, *self.built_in))]
        outcome = Lineage(candidates).outcome(0)
        if outcome.scenario is None:
            raise outcome.error or ScenarioError(source, ())
        return outcome.scenario

    def first_match(self, submission: Submission) -> Scenario | None:
        """The first scenario with a `match` that holds, or None."""
        for scenario in self.matching:
            if scenario.match is not None and not differences(scenario.match, submission):
                return scenario
        return None

    def has_file(self, name: str) -> bool:
        """Whether a file, the user's or a built-in one, gives `name`."""
        return any(scenario.name == name for scenario in (*self.filed, *self.built_in))

    def having_added(self, added: Sequence[Scenario]) -> Library:
        """With `added` in place of all that was added at run time."""
        return Library(self.built_in, self.filed, added, self.refused)

    def with_added(self, scenario: Scenario) -> Library:
        """With `scenario` added at run time, in place of one that was added under its name before."""
        others = tuple(each for each in self.added if each.name != scenario.name)
        return self.having_added((*others, scenario))

    def without_added(self, name: str) -> Library:
        """Without the scenario that was added as `name`. Raises NotFound if none was."""
        others = tuple(each for each in self.added if each.name != name)
        if len(others) == len(self.added):
            raise NotFound(f"no scenario `{name[:100]}` was added at run time")
        return self.having_added(others)

    def reloaded(self, directories: Sequence[Path]) -> Library:
        """With the files of `directories` as they are now; what is unchanged stays the same object.

        A file that became invalid keeps its last valid version and its problems are in `broken`. Raises
        StartError where a directory cannot be read any more.
        """
        paths = files_of(directories)
        last = {scenario.source: scenario for scenario in self.filed}
        found = _read([(path, None) for path in paths], last, before=self.added, after=self.built_in)
        filed = tuple(scenario for scenario, _ in found if scenario is not None)
        refused = {error.source: error.problems for _, error in found if error is not None}
        return Library(self.built_in, filed, self.added, refused)


def check_name(name: str) -> str | None:
    """Why `name` cannot name a scenario, or None."""
    if _NAME.fullmatch(name) is not None:
        return None
    near = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:100]
    hint = f", such as `{near}`" if near else ""
    return f"`{name[:100]}` is no name for a scenario: use small letters, digits, `-`, `_` and `.`{hint}"


def files_of(directories: Sequence[Path]) -> list[Path]:
    """The scenario files of all `directories`. Raises StartError with a line for each that cannot be read."""
    files: list[Path] = []
    unreadable: list[str] = []
    for directory in directories:
        try:
            files += scenario_files(directory)
        except StartError as error:
            unreadable.append(str(error))
    if unreadable:
        raise StartError("\n".join(unreadable))
    return files


def scenario_files(directory: Path) -> list[Path]:
    """The scenario files of `directory`, in order of name."""
    try:
        found = [path for path in directory.iterdir() if path.suffix in _SUFFIXES and not path.is_dir()]
    except NotADirectoryError:
        raise StartError(f"{directory} is a file: scenarios are read from directories") from None
    except OSError as error:
        raise StartError(f"cannot read the scenarios in {directory}: {error.strerror}") from None
    return sorted((path for path in found if not path.name.startswith(".")), key=lambda path: path.name)


def read_file(path: Path, source: str | None = None, known: Draft | None = None) -> _FileReading:
    """What one file gives, with its problems if it has some, or why nothing could be read of it.

    `known` is what it gave before: the same object comes back where the file still says the same.
    """
    reading = _reading_of(path, source, known)
    wrong_name = check_name(path.stem)
    if wrong_name is None:
        return reading
    problems = (Problem(wrong_name), *reading.problems)
    if isinstance(reading, ScenarioError):
        return ScenarioError(str(path), problems)
    return dataclasses.replace(reading, problems=problems)


def _reading_of(path: Path, source: str | None, known: Draft | None) -> _FileReading:
    """The same, whatever the file is called."""
    shown = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(SCENARIO.max_bytes + 1)
        # A cut file is over the limit, and is refused for that, whatever character the cut splits.
        text = content.decode(errors="strict" if len(content) <= SCENARIO.max_bytes else "replace")
        if known is not None and (known.name, known.source, known.text) == (path.stem, source or shown, text):
            return known
        return salvage_draft(text, name=path.stem, source=source or shown)
    except OSError as error:
        return ScenarioError(shown, (Problem(f"cannot be read: {error.strerror}"),))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return ScenarioError(shown, (Problem("this is not UTF-8 text", line=line),))
    except ScenarioError as error:
        return ScenarioError(shown, error.problems)


def _read(
    files: Sequence[tuple[Path, str | None]],
    last: Mapping[str, Scenario] = MappingProxyType({}),
    *,
    before: Sequence[Scenario] = (),
    after: Sequence[Scenario] = (),
) -> list[Outcome]:
    """What `files` (with their sources, if not their paths) come to, among scenarios looked up before and after them.

    `last` holds the last valid versions by source: what serves if a file cannot be read, or does not fit, now.
    """
    known = {path: scenario.drafts[-1] for path, scenario in last.items() if scenario.drafts}
    readings = [read_file(path, source, known.get(str(path))) for path, source in files]
    candidates = []
    for (path, _), reading in zip(files, readings, strict=True):
        draft = None if isinstance(reading, ScenarioError) else reading
        candidates.append(candidate_of(path.stem, draft, last.get(str(path))))
    outcomes = Lineage([*map(candidate, before), *candidates, *map(candidate, after)]).outcomes()
    return [
        Outcome(outcome.scenario, _shown(path, reading if isinstance(reading, ScenarioError) else outcome.error))
        for (path, _), reading, outcome in zip(files, readings, outcomes[len(before) :], strict=False)
    ]


def _shown(path: Path, error: ScenarioError | None) -> ScenarioError | None:
    """`error` under the file's own path."""
    return None if error is None else ScenarioError(str(path), error.problems)


def _place_of(scenario: Scenario | Draft) -> str:
    """A file's path, or the name of a scenario that has none."""
    return scenario.source if scenario.source.endswith(_SUFFIXES) else f"{scenario.source}: {scenario.name}"
