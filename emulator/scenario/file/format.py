"""The scenario file format: reading a file into what it gives, or into the whole scenario."""

from __future__ import annotations

import dataclasses

from emulator.documents import Node, read_document
from emulator.errors import Problem, ScenarioError
from emulator.scenario.composition import compose, misfits
from emulator.scenario.file.alternatives import given_keys
from emulator.scenario.file.draft import Draft
from emulator.scenario.file.grammar import Findings, Unread, in_order
from emulator.scenario.file.keys import EXTENDS, KEYS, TIMELINE, check_together
from emulator.scenario.file.records import Record, Values
from emulator.scenario.model import Scenario
from emulator.statuses import RunStatus


def read_scenario(text: str, *, name: str, source: str) -> Scenario:
    """The scenario that `text` (YAML or JSON) describes; `source` is shown in front of its problems.

    Raises ScenarioError with every problem found, in the order of the text. One that extends another is for
    `Library.read`, which knows the others; here it is refused.
    """
    draft = salvage_draft(text, name=name, source=source)
    if draft.extends is not None:
        message = f"`{draft.extends}` is looked up among the other scenarios, and there are none here"
        problems = (draft.keys[EXTENDS.name].problem(message), *misfits(None, draft))
        raise ScenarioError(source, in_order((*draft.problems, *problems)))
    if draft.problems:
        raise ScenarioError(source, in_order((*draft.problems, *misfits((), draft))))
    return compose((draft,))


def read_draft(text: str, *, name: str, source: str) -> Draft:
    """What `text` gives. Raises ScenarioError with every problem of its own, in the order of the text."""
    draft = salvage_draft(text, name=name, source=source)
    if draft.problems:
        raise ScenarioError(source, draft.problems)
    return draft


def salvage_draft(text: str, *, name: str, source: str) -> Draft:
    """What `text` gives, with every problem of its own, in the order of the text.

    What could be read in spite of them is there for the rules between layers and files, which find more. Raises
    ScenarioError where nothing could be read.
    """
    document = read_document(text)
    if document.root is None:
        raise ScenarioError(source, document.problems or (_EMPTY,))
    findings = Findings()
    try:
        draft = file_record(name, source, text).read(document.root, "", findings)
    except Unread as unread:
        draft = unread.salvaged if isinstance(unread.salvaged, Draft) else Draft(name, source, text, {})
    problems = in_order((*document.problems, *findings.problems()))
    return dataclasses.replace(draft, problems=problems) if problems else draft


def read_node(node: Node, *, name: str, source: str, text: str) -> tuple[Draft | None, Findings]:
    """What a file's root node gives, None if it has problems; they are in the findings."""
    findings = Findings()
    try:
        return file_record(name, source, text).read(node, "", findings), findings
    except Unread:
        return None, findings


def file_record(name: str = "", source: str = "", text: str = "") -> Record[Draft]:
    """The form of a whole file; name, source and text are what its content does not say."""

    def build(values: Values, findings: Findings) -> Draft:
        return Draft(name, source, text, given_keys(values, KEYS))

    def salvage(values: Values) -> Draft:
        return Draft(name, source, text, given_keys(values, KEYS), values.unread)

    return Record(
        "the keys of a scenario, such as `timeline`",
        KEYS,
        build,
        _check,
        {"anyOf": [{"required": [TIMELINE.name]}, {"required": [EXTENDS.name]}]},
        synonyms=dict.fromkeys(("stages", "steps", "statuses", "lifecycle"), "timeline")
        | dict.fromkeys(("title", "description", "name", "desc"), "summary")
        | dict.fromkeys(("logs", "log", "lines", "stdout"), "output")
        | dict.fromkeys(("extend", "base", "inherits", "inherit", "from", "parent", "include"), "extends")
        | dict.fromkeys(("alternatives", "one_of", "any_of", "random"), "variants")
        | dict.fromkeys(("attempts", "submissions", "responses"), "sequence")
        | dict.fromkeys(("env", "environment", "env_vars", "variables", "secrets", "requires"), "needs_env")
        | {"when": "match", "if": "match", "phases": "metrics", "time_limit": "timeout"},
        strangers={
            status.value: f"`{status}` is a status: make it an entry of `timeline`, indented and with `- `"
            for status in RunStatus
        }
        | {"weight": "`weight` goes into an entry of `variants`"}
        | {"profiles": "`profiles` goes into `selection`", "speed": "`speed` goes into a profile of `selection`"},
        salvage=salvage,
    )


def _check(values: Values, findings: Findings) -> None:
    if not values.tried(TIMELINE) and not values.tried(EXTENDS):
        findings.note(values.node, "", f"`timeline` is missing: write for example `{TIMELINE.written()}`")
    check_together(values, findings)


_EMPTY = Problem("the file is empty: a scenario has at least a `timeline`")
