"""The keys of a scenario file, each with its form, its documentation and an example, and the rules between them."""

from __future__ import annotations

from typing import Any

from emulator.scenario.file.alternatives import ScenarioName, sequence, variants
from emulator.scenario.file.callbacks import CALLBACKS as CALLBACKS_FORM
from emulator.scenario.file.conditions import MATCH as MATCH_FORM
from emulator.scenario.file.durations import DurationOrRange
from emulator.scenario.file.environment import NEEDS_ENV as NEEDS_ENV_FORM
from emulator.scenario.file.faults import FAULTS as FAULTS_FORM
from emulator.scenario.file.grammar import Findings
from emulator.scenario.file.metrics import METRICS as METRICS_FORM
from emulator.scenario.file.metrics import SERIES as SERIES_FORM
from emulator.scenario.file.metrics import check_metrics
from emulator.scenario.file.output import OUTPUT as OUTPUT_FORM
from emulator.scenario.file.output import check_output
from emulator.scenario.file.profiles import ProfileName
from emulator.scenario.file.records import Key, Values
from emulator.scenario.file.scalars import Choice, Integer, Text
from emulator.scenario.file.selection import SelectionDraft, selection
from emulator.scenario.file.shapes import SHAPES as SHAPES_FORM
from emulator.scenario.file.telemetry import TELEMETRY as TELEMETRY_FORM
from emulator.scenario.file.timeline import Timeline, TimelineForm
from emulator.scenario.model import CallbackPlan, Match, TimeLimit
from emulator.scenario.ranges import DurationRange
from emulator.statuses import RunStatus

SUMMARY: Key[str] = Key(
    "summary",
    Text("one line of text", r"[^\n]{1,200}"),
    "One line for lists: the story that this scenario tells.",
    "Training that runs out of GPU memory four minutes in.",
)
EXTENDS: Key[str] = Key(
    "extends",
    ScenarioName(),
    "Another scenario, whose keys this one takes over; those given here replace them whole. `summary` and `match`"
    " are not taken over. Its own name means the one that this file hides.",
    "oom",
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
        # What says that there is to be one may as well mean a run that is to exceed it: both words are named then.
        dict.fromkeys(("off", "no", "none", "false"), TimeLimit.IGNORE.value),
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
SHAPES = Key(
    "shapes",
    SHAPES_FORM,
    "Shapes of your own for `metrics`: a built-in one with other quantities, and other pauses that come back.",
    {"train-moe": {"like": "train-llm", "tensor": "28%", "beats": [{"every": "6s", "for": "1s", "activity": "40%"}]}},
)
SERIES = Key(
    "series",
    SERIES_FORM,
    "Exact values of a metric series, for tests that assert on them: linear between the times, held outside.",
    {"gpuTemperatureCelsius": {"0s": 40, "2m": 91.5}},
)
METRICS_FROM: Key[str] = Key(
    "metrics_from",
    Choice(
        [RunStatus.RUNNING.value, RunStatus.STARTING.value],
        dict.fromkeys(("start", "provisioning", "machine", "boot", "booting", "assigned"), RunStatus.STARTING.value)
        | dict.fromkeys(("run", "started"), RunStatus.RUNNING.value),
    ),
    "From which status on there are metrics: `running`, if left out, or `starting`, when the machine is there and"
    " idles while it is prepared.",
    "starting",
)
TELEMETRY = Key(
    "telemetry",
    TELEMETRY_FORM,
    "What goes wrong with the metrics themselves, the workload being well: scrapes that are lost, an exporter that"
    " hangs, points that come late, series that are not there. Times count from the start of running.",
    [{"missing": "20%", "from": "1m", "until": "2m"}, {"dropped": ["gpuPowerWatt"]}],
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
    ProfileName(),
    "The profile whose metrics the run shows, whichever it was submitted for.",
    "gpu.h100",
)

NEEDS_ENV = Key(
    "needs_env",
    NEEDS_ENV_FORM,
    "Environment variables that the code asks for: a run that was not given one of them fails soon after its start, as"
    " Python does (`KeyError`).",
    ["HF_TOKEN"],
)
CALLBACKS: Key[CallbackPlan] = Key(
    "callbacks",
    CALLBACKS_FORM,
    "How the submission's callback URLs are called once the run has ended (each once and at once, if left out), or"
    " that they are not: `none`.",
    {"times": 2, "delay": "3s"},
)
FAULTS = Key(
    "faults",
    FAULTS_FORM,
    "Bad answers to requests about the run and on its stream: status codes, latency, broken connections, streams that"
    " stop. Times count from the submission.",
    [{"fault": "unavailable", "times": 2, "retry_after": "1s"}],
)

# What a variant or an entry of a sequence may give.
ALTERABLE: tuple[Key[Any], ...] = (
    TIMEOUT,
    TIMELINE,
    OUTPUT,
    METRICS,
    SHAPES,
    SERIES,
    METRICS_FROM,
    TELEMETRY,
    STOP_STATUS,
    SHUTDOWN,
    SEED,
    HARDWARE,
    NEEDS_ENV,
    CALLBACKS,
    FAULTS,
)


def check_together(values: Values, findings: Findings) -> None:
    """The rules between keys that are given side by side."""
    timeline = values.readable(TIMELINE, None)
    if timeline is not None:
        check_output(values.readable(OUTPUT, ()), timeline, findings)
    if timeline is not None and timeline.running is None and values.readable(NEEDS_ENV, ()):
        message = "the run ends before `running`, so it never asks for them"
        path = f"{values.path}.{NEEDS_ENV.name}".lstrip(".")
        findings.note(values.entry(NEEDS_ENV), path, message, beyond_schema=True)
    check_metrics(values, METRICS, findings)


# What one profile of a selection may give: it is the hardware, and the start call takes no callback URLs.
BY_PROFILE: tuple[Key[Any], ...] = tuple(key for key in ALTERABLE if key not in (HARDWARE, CALLBACKS))
SELECTION_FORM = selection(BY_PROFILE, check_together)
SELECTION: Key[SelectionDraft] = Key(
    "selection",
    SELECTION_FORM,
    "What a GPU selection does: on which profiles, what differs there, and how long its own work takes.",
    {"profiles": {"gpu.a100": {}, "gpu.h100": {"speed": 2.5}}},
)
VARIANTS = Key(
    "variants",
    variants((*ALTERABLE, SELECTION), check_together),
    "Alternatives of which every run draws one, by its own seed. Each may have a `weight` and a `name`, and gives"
    " the keys in which it differs from the scenario.",
    [{"weight": 3}, {"weight": 1, "name": "lost-node", "timeline": [{"running": "9s"}, "system_failure"]}],
)
SEQUENCE = Key(
    "sequence",
    sequence((*ALTERABLE, SELECTION, VARIANTS), check_together),
    "What the first, second, … submission of a tenant that gets this scenario differs in; `{}` in nothing. The last"
    " entry is for all that follow. A tenant's reset begins anew.",
    [{"timeline": [{"running": "9s"}, "system_failure"]}, {}],
)
AFTER_SEQUENCE: Key[str] = Key(
    "after_sequence",
    Choice(
        ["repeat", "restart"],
        {"last": "repeat", "stay": "repeat", "hold": "repeat"}
        | dict.fromkeys(("loop", "cycle", "again", "rewind"), "restart"),
    ),
    "After the last entry of `sequence`: `repeat` it (if left out), or `restart` from the first.",
    "restart",
)

KEYS: tuple[Key[Any], ...] = (SUMMARY, EXTENDS, MATCH, *ALTERABLE, SELECTION, VARIANTS, SEQUENCE, AFTER_SEQUENCE)

PERSONAL = frozenset((SUMMARY.name, EXTENDS.name, MATCH.name))
"""What an extended scenario does not hand on."""
