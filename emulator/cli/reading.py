"""Scenarios for commands: of the directories that are named, and of single files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from emulator.errors import Problem, ScenarioError, StartError
from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.library import Library, files_of, read_file, scenario_files
from emulator.scenario.lineage import Lineage, candidate_of
from emulator.scenario.model import Scenario


class Reading(Struct, frozen=True):
    """What came of one file: a scenario, or problems. `asked` says whether it was named, itself or its directory."""

    path: Path
    scenario: Scenario | None
    problems: tuple[Problem, ...] = ()
    asked: bool = True


def load_library(directories: Sequence[Path]) -> Library:
    """The scenarios that a server with `directories` has. Raises StartError, with the problems of invalid files."""
    return Library.load(directories, built_in=SCENARIO_DIRECTORY)


def find(name: str, directories: Sequence[Path]) -> tuple[Scenario, Library]:
    """The scenario called `name`, or that of the file `name`, and a library that has it.

    Raises NotFound with the nearest names, StartError where a file or directory cannot be read, ScenarioError
    for an invalid file.
    """
    library = load_library(directories)
    path = Path(name)
    if path.name == name and path.suffix not in (".yaml", ".yml"):
        return library.get(name), library
    _refuse_missing([path])
    if path.is_dir():
        raise StartError(f"{path} is a directory: name one of its files")
    reading = next(each for each in read([path], directories) if each.asked)
    if reading.scenario is None:
        raise ScenarioError(str(path), reading.problems)
    return reading.scenario, library.with_added(reading.scenario)


def read(paths: Sequence[Path], directories: Sequence[Path] = ()) -> list[Reading]:
    """All files of `directories`, then of `paths`, then the built-in ones, those of a directory in order of name.

    A file that is named brings the others of its directory with it: it may extend them, and they may be asked
    before it. Raises StartError for a path that does not exist or cannot be read.
    """
    _refuse_missing(paths)
    asked = {file.resolve(): file for path in paths for file in _files_of(path)}
    files: dict[Path, Path] = {}
    for file in (
        *files_of(directories),
        *(file for path in paths for file in _with_neighbours(path)),
        *scenario_files(SCENARIO_DIRECTORY),
    ):
        files.setdefault(file.resolve(), asked.get(file.resolve(), file))
    drafts = [read_file(file) for file in files.values()]
    outcomes = Lineage(
        [
            candidate_of(file.stem, None if isinstance(draft, ScenarioError) else draft)
            for file, draft in zip(files.values(), drafts, strict=True)
        ]
    ).outcomes()
    readings = []
    for (key, file), draft, outcome in zip(files.items(), drafts, outcomes, strict=True):
        error = draft if isinstance(draft, ScenarioError) else outcome.error
        readings.append(Reading(file, outcome.scenario, error.problems if error else (), key in asked))
    return readings


def _files_of(path: Path) -> list[Path]:
    return scenario_files(path) if path.is_dir() else [path]


def _with_neighbours(path: Path) -> list[Path]:
    """All files of a directory, or of that in which a file is, which need not have the name of a scenario."""
    if path.is_dir():
        return scenario_files(path)
    neighbours = scenario_files(path.parent)
    return neighbours if path in neighbours else [*neighbours, path]


def _refuse_missing(paths: Sequence[Path]) -> None:
    """Raises StartError with a line for each that cannot be read."""
    missing = []
    for path in paths:
        try:
            path.stat()
        except OSError as error:
            missing.append(f"cannot read {path}: {error.strerror}")
    if missing:
        raise StartError("\n".join(missing))
