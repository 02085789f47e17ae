"""The `match` of a scenario file: which submissions it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from types import MappingProxyType

from emulator.documents import Node
from emulator.documents.syntax import cut
from emulator.hardware.profiles import PROFILES, all_profile_names
from emulator.scenario.file.grammar import Findings, Form, Schema, listed, nearest
from emulator.scenario.file.records import Key, ListOf, Record, Table, Values
from emulator.scenario.file.scalars import Choice, Text
from emulator.scenario.model import Match
from emulator.scenario.submission import Kind

MAX_PATTERN = 1000

# What the start call of each kind cannot carry, so that a condition on it never holds.
_ABSENT = {
    Kind.PYTHON: ("image", "command"),
    Kind.DOCKER: ("code",),
    Kind.COMPOSE: ("code", "image", "command"),
    Kind.GPU_SELECTION: ("image", "command"),
}


@dataclass(frozen=True)
class Pattern(Form[str]):
    """A shell-style pattern: `*`, `?`, `[a-z]`, `[!a-z]`."""

    words: str = 'a pattern such as `"oom-*.py"`'

    def _text(self) -> Text:
        return Text(self.words, min_length=1, max_length=MAX_PATTERN)

    def read(self, node: Node, path: str, findings: Findings) -> str:
        pattern = self._text().read(node, path, findings)
        problem = _bracket_problem(pattern)
        if problem is not None:
            raise findings.refused(node, path, problem, beyond_schema=True)
        return pattern

    def schema(self) -> Schema:
        return self._text().schema()


@dataclass(frozen=True)
class HardwarePattern(Pattern):
    """A pattern for profiles, whose names have no capitals, and of which all are known."""

    def read(self, node: Node, path: str, findings: Findings) -> str:
        pattern = super().read(node, path, findings)
        if not _fits_a_profile(pattern.lower()):
            word, names = pattern.replace("*", ""), tuple(PROFILES)
            near = nearest(word, names) or nearest(f"gpu.{word}", names)
            hint = f"did you mean `{near}`?" if near else f"there are {listed(names, 'and')}"
            raise findings.refused(node, path, f"`{cut(pattern)}` fits no profile: {hint}", beyond_schema=True)
        if pattern != pattern.lower():
            message = f"matches nothing, since profiles are in lower case: write `{pattern.lower()}`"
            raise findings.refused(node, path, message, beyond_schema=True)
        return pattern

    def schema(self) -> Schema:
        return super().schema()


def _fits_a_profile(pattern: str) -> bool:
    fits = re.compile(translate(pattern)).match
    return any(fits(name) or fits(name.removeprefix("gpu.")) for name in all_profile_names())


def _bracket_problem(pattern: str) -> str | None:
    """Why a set of characters in `pattern` fits none."""
    rest = pattern
    while "[" in rest:
        rest = rest[rest.index("[") + 1 :]
        found = re.match(r"!?\]?[^\]]*\]", rest)
        if found is None:
            return "the `[` is never closed with `]`: write `[[]` for the character itself"
        for low, high in re.findall(r"([^!])-([^\]])", found[0]):
            if low > high:
                return f"`{low}-{high}` fits no character: write `{high}-{low}`"
        rest = rest[found.end() :]
    return None


KIND: Key[str] = Key(
    "kind",
    Choice(
        [kind.value for kind in Kind],
        {"image": "docker", "container": "docker", "notebook": "docker", "script": "python"},
    ),
    "The start call that it came through.",
    "python",
)
FILE_NAME: Key[str] = Key("file_name", Pattern(), "The file that was submitted.", "oom-*.py")
CODE: Key[str] = Key(
    "code", Pattern('a pattern such as `"*import torch*"`'), "The code that was submitted.", "*import torch*"
)
RUN_NAME: Key[str] = Key("run_name", Pattern(), "The name that the client gave the run.", "nightly-*")
LABELS = Key(
    "labels",
    ListOf(Pattern(), "a list of patterns, such as `[nightly]`", 100, 1),
    "Labels that the submission carries, each pattern at least once.",
    ["nightly"],
)
METADATA = Key(
    "metadata",
    Table(
        Text("a key"),
        Pattern(),
        "a mapping from keys to patterns, such as `{team: vision}`",
        min_entries=1,
        max_entries=100,
    ),
    "Metadata that the submission carries.",
    {"team": "vision-*"},
)
HARDWARE: Key[str] = Key(
    "hardware",
    HardwarePattern('a pattern such as `"*h100*"`'),
    "The hardware profile, by its full name (`gpu.h100`) or a bare one (`h100`).",
    "gpu.h100*",
)
IMAGE: Key[str] = Key("image", Pattern('a pattern such as `"pytorch/*"`'), "The image to run.", "pytorch/*")
COMMAND: Key[str] = Key(
    "command",
    Pattern('a pattern such as `"python train.py*"`'),
    "The command, its words joined by spaces.",
    "*train.py*",
)


def _check(values: Values, findings: Findings) -> None:
    kind = values.get(KIND, None)
    for entry in values.node.entries:
        if kind is not None and entry.key in _ABSENT[Kind(kind)]:
            message = f"`{entry.key}` never holds for `kind: {kind}`, whose start call has none"
            findings.note(entry, f"{values.path}.{entry.key}", message, beyond_schema=True)


def _build(values: Values, findings: Findings) -> Match:
    return Match(
        kind=values.get(KIND, None),
        file_name=values.get(FILE_NAME, None),
        code=values.get(CODE, None),
        run_name=values.get(RUN_NAME, None),
        labels=tuple(located.value for located in values.get(LABELS, ())),
        metadata=MappingProxyType({key: each.value for key, each in values.get(METADATA, {}).items()}),
        hardware=values.get(HARDWARE, None),
        image=values.get(IMAGE, None),
        command=values.get(COMMAND, None),
    )


MATCH: Record[Match] = Record(
    'conditions such as `file_name: "oom-*.py"`',
    (KIND, FILE_NAME, CODE, RUN_NAME, LABELS, METADATA, HARDWARE, IMAGE, COMMAND),
    _build,
    _check,
    synonyms={"file": "file_name", "filename": "file_name", "name": "run_name", "gpu": "hardware"}
    | {"execution_type": "hardware", "hardware_profile": "hardware", "label": "labels", "type": "kind"}
    | {"docker_image_ref": "image", "cmd": "command", "docker_run_cmd": "command"},
)
