"""What `scenario check` finds, and the forms in which it tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from emulator.cli.reading import read
from emulator.errors import Problem
from emulator.scenario.lints import lint
from emulator.scenario.model import Scenario

_LONGEST_SHOWN = 200


class Finding(Struct, frozen=True):
    """A problem of a file: an error if no lint rule found it."""

    path: Path
    problem: Problem
    rule: str | None = None

    @property
    def severity(self) -> str:
        return "error" if self.rule is None else "warning"


class Report(Struct, frozen=True):
    """What was found in so many files."""

    files: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        return sum(finding.rule is None for finding in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors

    def failed(self, *, strict: bool) -> bool:
        return bool(self.findings if strict else self.errors)


def check(paths: Sequence[Path], directories: Sequence[Path], ignored: Collection[str]) -> Report:
    """The errors and lints of `paths`, or of `directories` if there are none.

    What `directories` hold comes first, as with a server, but is told of only if it was asked for. Raises
    StartError for a path that cannot be read.
    """
    findings: list[Finding] = []
    earlier: list[Scenario] = []
    readings = read(paths or directories, directories if paths else ())
    for reading in readings:
        if reading.asked:
            findings += (Finding(reading.path, problem) for problem in reading.problems)
        if reading.scenario is None:
            continue
        if reading.asked:
            lints = lint(reading.scenario, earlier)
            findings += (Finding(reading.path, each.problem, each.rule) for each in lints if each.rule not in ignored)
        earlier.append(reading.scenario)
    return Report(sum(reading.asked for reading in readings), tuple(findings))


def as_text(report: Report) -> Iterator[str]:
    """One problem after the other with the line that it is in, as compilers do, and the count."""
    lines_of: dict[Path, list[str]] = {}
    for finding in report.findings:
        problem = finding.problem
        where = f"{problem.path}: " if problem.path else ""
        rule = "" if finding.rule is None else f"  [{finding.rule}]"
        place = f"{finding.path}:{problem.line}:{problem.column}"
        yield f"{place}: {finding.severity}: {where}{problem.message}{rule}"
        lines = lines_of.setdefault(finding.path, _lines(finding.path))
        yield from _pointed_at(lines, problem)
    files = "1 file" if report.files == 1 else f"{report.files} files"
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for word, count in (("error", report.errors), ("warning", report.warnings))
        if count
    ]
    yield f"{files}: {', '.join(counts) or 'no problems'}"


def as_github(report: Report) -> Iterator[str]:
    """Workflow commands, which GitHub shows beside the lines of a change."""
    for finding in report.findings:
        problem = finding.problem
        where = f"{problem.path}: " if problem.path else ""
        properties = {"file": str(finding.path), "line": problem.line, "col": problem.column}
        properties["title"] = finding.rule or "invalid scenario"
        given = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in properties.items())
        yield f"::{finding.severity} {given}::{_escaped(where + problem.message)}"


def as_json(report: Report) -> Iterator[str]:
    problems: list[dict[str, Any]] = [
        {
            "file": str(finding.path),
            "line": finding.problem.line,
            "column": finding.problem.column,
            "path": finding.problem.path,
            "severity": finding.severity,
            "rule": finding.rule,
            "message": finding.problem.message,
        }
        for finding in report.findings
    ]
    counts = {"files": report.files, "errors": report.errors, "warnings": report.warnings}
    yield json.dumps({**counts, "problems": problems}, indent=2, ensure_ascii=False)


FORMATS: dict[str, Callable[[Report], Iterator[str]]] = {"text": as_text, "github": as_github, "json": as_json}


def _escaped(text: str, separators: str = "") -> str:
    for character in f"%\r\n{separators}":  # the percent sign first: the others' escapes have one
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []


def _pointed_at(lines: list[str], problem: Problem) -> Iterator[str]:
    """The line of `problem`, and an arrow under its column."""
    line = lines[problem.line - 1].rstrip() if problem.line <= len(lines) else ""
    if not line or len(line) > _LONGEST_SHOWN or not line.replace("\t", "").isprintable():
        return
    yield f"    {line}"
    before = line[: problem.column - 1]
    yield "    " + "".join("\t" if each == "\t" else " " for each in before) + "^"
