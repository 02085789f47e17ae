"""The scenario file format: its keys, the rules between them, and the reading of a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType

from emulator.documents import Node, read_document
from emulator.errors import Problem, ScenarioError
from emulator.scenario.conditions import MATCH as MATCH_FORM
from emulator.scenario.durations import DurationOrRange
from emulator.scenario.grammar import Findings, Unread, in_order
from emulator.scenario.metrics import METRICS as METRICS_FORM
from emulator.scenario.metrics import SERIES as SERIES_FORM
from emulator.scenario.metrics import check_metrics, keyframes
from emulator.scenario.model import DurationRange, Match, Scenario, TimeLimit
from emulator.scenario.output import OUTPUT as OUTPUT_FORM
from emulator.scenario.output import check_output
from emulator.scenario.records import Key, Record, Values
from emulator.scenario.scalars import Choice, Integer, Text
from emulator.scenario.timeline import Timeline, TimelineForm
from emulator.statuses import RunStatus

SUMMARY: Key[str] = Key(
    "summary",
    Text("one line of text", r"[^\n]{1,200}"),
    "One line for lists: the story that this scenario tells.",
    "Training that runs out of GPU memory four minutes in.",
)
MATCH: Key[Match] = Key(
    "match",
    MATCH_FORM,
    "Which submissions get this scenario without asking for it: all conditions must hold. Patterns are"
    " shell-style (`*`, `?`, `[a-z]`) and cover the whole value.",
    {"kind": "python", "file_name": "oom-*.py"},
)
TIMEOUT: Key[str] = Key(
    "timeout",
    Choice(
        [limit.value for limit in TimeLimit],
        {"off": "ignore", "none": "ignore", "no": "ignore", "false": "ignore"}
        | {"on": "enforce", "yes": "enforce", "true": "enforce"},
    ),
    "Whether the client's time limit cuts the run (`enforce`, if left out) or not (`ignore`).",
    "ignore",
)
TIMELINE: Key[Timeline] = Key(
    "timeline",
    TimelineForm(),
    "The statuses in order, each with how long it lasts (`4s`, a range `35s..50s`, or `until_stopped`), then"
    " how the run ends (`completed` if left out). Pending and starting may be left out.",
    [{"pending": "4s"}, {"starting": "35s..50s"}, {"running": "4m"}, "completed"],
    required=True,
)
OUTPUT = Key(
    "output",
    OUTPUT_FORM,
    "What the run prints. Times count from the start of running.",
    [{"at": "0s", "text": "loading checkpoint\n"}],
)
METRICS = Key(
    "metrics",
    METRICS_FORM,
    "What the GPU is busy with while the run is running, phase after phase.",
    [{"phase": "load", "for": "30s", "shape": "load-weights"}, {"phase": "train", "shape": "train-llm"}],
)
SERIES = Key(
    "series",
    SERIES_FORM,
    "Exact values of a metric series, for tests that assert on them: linear between the times, held outside.",
    {"gpuTemperatureCelsius": {"0s": 40, "2m": 91.5}},
)
STOP_STATUS: Key[str] = Key(
    "stop_status",
    Choice([RunStatus.COMPLETED.value, RunStatus.CANCELLED.value], {"canceled": "cancelled"}),
    "What a running run becomes when it is stopped: `completed`, if left out.",
    "cancelled",
)
SHUTDOWN: Key[DurationRange] = Key(
    "shutdown",
    DurationOrRange(),
    "How long a running run takes to end once stopped; 0s if left out.",
    "2s",
)
SEED: Key[int] = Key(
    "seed",
    Integer(0, 2**63 - 1),
    "Draws the same values in every run of this scenario, whatever the run's own seed.",
    7,
)
HARDWARE: Key[str] = Key(
    "hardware",
    Text("a hardware profile such as `gpu.h100`", r"[a-z0-9][a-z0-9._-]{0,99}"),
    "The profile whose metrics the run shows, whichever it was submitted for.",
    "gpu.h100",
)

# `faults`, `callbacks` and `telemetry` join here: a key, a module with its form, a field of Scenario.
KEYS = (
    SUMMARY,
    MATCH,
    TIMEOUT,
    TIMELINE,
    OUTPUT,
    METRICS,
    SERIES,
    STOP_STATUS,
    SHUTDOWN,
    SEED,
    HARDWARE,
)


@dataclass(frozen=True)
class _Named:
    """What a file's content does not say."""

    name: str
    source: str
    text: str


def read_scenario(text: str, *, name: str, source: str) -> Scenario:
    """The scenario that `text` (YAML or JSON) describes; `source` is shown in front of its problems.

    Raises ScenarioError with every problem found, in the order of the text.
    """
    document = read_document(text)
    if document.root is None:
        raise ScenarioError(source, document.problems or (_EMPTY,))
    scenario, findings = read_node(document.root, name=name, source=source, text=text)
    problems = in_order((*document.problems, *findings.problems()))
    if scenario is None or problems:
        raise ScenarioError(source, problems)
    return scenario


def read_node(node: Node, *, name: str, source: str, text: str) -> tuple[Scenario | None, Findings]:
    """The scenario of a file's root node, None if it has problems; they are in the findings."""
    findings = Findings()
    try:
        return scenario_record(_Named(name, source, text)).read(node, "", findings), findings
    except Unread:
        return None, findings


def scenario_record(named: _Named | None = None) -> Record[Scenario]:
    """The form of a whole file."""
    named = named or _Named("", "", "")

    def build(values: Values, findings: Findings) -> Scenario:
        return _scenario(values, named)

    return Record(
        "the keys of a scenario, such as `timeline`",
        KEYS,
        build,
        _check,
        synonyms=dict.fromkeys(("stages", "steps", "statuses", "lifecycle"), "timeline")
        | dict.fromkeys(("title", "description", "name", "desc"), "summary")
        | dict.fromkeys(("logs", "log", "lines", "stdout"), "output")
        | {"when": "match", "if": "match", "phases": "metrics", "time_limit": "timeout"},
        strangers={
            status.value: f"`{status}` is a status: make it an entry of `timeline`, indented and with `- `"
            for status in RunStatus
        },
    )


_EMPTY = Problem("the file is empty: a scenario has at least a `timeline`")


def _check(values: Values, findings: Findings) -> None:
    """The rules between keys."""
    if TIMELINE in values:
        check_output(values.readable(OUTPUT, ()), values[TIMELINE], findings)
    check_metrics(values.get(METRICS, ()), findings)


def _scenario(values: Values, named: _Named) -> Scenario:
    timeline = values[TIMELINE]
    return Scenario(
        name=named.name,
        summary=values.get(SUMMARY, _summary_of(named.name)),
        source=named.source,
        text=named.text,
        digest=digest_of(named.name, named.text),
        timeline=timeline.stages,
        ending=timeline.ending,
        match=values.get(MATCH, None),
        output=tuple(located.value for located in values.get(OUTPUT, ())),
        metrics=tuple(located.value for located in values.get(METRICS, ())),
        series=MappingProxyType({key: keyframes(table) for key, table in values.get(SERIES, {}).items()}),
        time_limit=TimeLimit(values.get(TIMEOUT, TimeLimit.ENFORCE)),
        stop_status=RunStatus(values.get(STOP_STATUS, RunStatus.COMPLETED)),
        shutdown=values.get(SHUTDOWN, DurationRange(0, 0)),
        seed=values.get(SEED, None),
        hardware=values.get(HARDWARE, None),
    )


def digest_of(name: str, text: str) -> str:
    """The same for the same name and text, in every process."""
    return hashlib.sha256(f"{name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()


def _summary_of(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").capitalize() + "."
