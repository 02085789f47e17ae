"""One reading tells every mistake of a file: what is wrong in one place hides nothing that is wrong in another."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import combinations
from typing import Any

import pytest

from emulator.errors import ScenarioError
from emulator.scenario.library import Library

BASE = """\
timeline: [{running: 1m}]
output: [{at: 40s, text: late}]
shapes: {of-base: {like: eval}}
metrics: [{phase: all, shape: of-base}]
"""

RECORD = {"phase": "train", "for": "30s", "shape": "own", "gpu_memory": "50%"}
VALID: dict[str, Any] = {
    "summary": "Everything at once.",
    "match": {"kind": "python", "file_name": "oom-*.py", "labels": ["nightly"], "metadata": {"team": "v*"}},
    "timeout": "ignore",
    "timeline": [{"pending": "4s"}, {"starting": "5s"}, {"running": "4m"}, {"failed": {"return_code": 3}}],
    "output": [
        {"at": "1s", "text": "loading"},
        {
            "every": "2s",
            "from": "20s",
            "until": "3m",
            "text": "{n} {loss:.4f}",
            "fields": {"loss": {"from": 2, "to": 1}},
        },
    ],
    "shapes": {"own": {"like": "train-llm", "beats": [{"every": "10s", "for": "2s", "activity": "50%"}]}},
    "metrics": [RECORD, {"phase": "rest", "shape": "eval"}],
    "series": {"gpuPowerWatt": {"0s": 40}},
    "telemetry": [{"missing": "20%", "from": "1m", "until": "2m"}],
    "hardware": "gpu.h100",
    "needs_env": ["HF_TOKEN"],
    "callbacks": {"times": 2, "delay": "3s"},
    "faults": [{"fault": "unavailable", "times": 2, "from": "1s", "until": "9s"}, {"answer": {"status": 503}}],
    "selection": {"profiles": {"gpu.a100": {"speed": 2, "output": [{"at": "2s", "text": "x"}]}}},
    "variants": [{"weight": 3}, {"timeline": [{"running": "50s"}], "output": [{"at": "3s", "text": "variant"}]}],
    "sequence": [{"name": "first", "output": [{"at": "3m", "text": "entry"}]}, {"metrics": [dict(RECORD)]}],
    "after_sequence": "restart",
}
EXTENDING = {key: value for key, value in VALID.items() if key not in ("timeline", "shapes")} | {
    "extends": "base",
    "output": [{"at": "1s", "text": "{n}"}],
    "metrics": [{"phase": "all", "shape": "of-base"}],
    "sequence": [{"output": [{"at": "3s", "text": "entry"}]}, {"metrics": [{"phase": "all", "shape": "of-base"}]}],
    "selection": {"profiles": {"gpu.a100": {"speed": 2, "output": [{"at": "2s", "text": "x"}]}}},
}  # fmt: skip

# Where, and what stands there in place of what is right. A place that ends with `+` gets one more key.
MISTAKES: dict[str, tuple[str, object]] = {
    "a long summary": ("summary", "two\nlines"),
    "a wrong kind": ("match.kind", "dokcer"),
    "an open bracket": ("match.file_name", "oom-[.py"),
    "a stranger in match": ("match.+filename2", "x"),
    "a condition that never holds": ("match.+image", "x"),
    "a wrong timeout": ("timeout", "never"),
    "no unit": ("timeline.0.pending", "4"),
    "a wrong return code": ("timeline.3.failed.return_code", 900),
    "a stranger in an ending": ("timeline.3.failed.+zzz", 1),
    "a status twice": ("timeline.1", {"pending": "5s"}),
    "an unknown status": ("timeline.1", {"zzz": "5s"}),
    "a status without length": ("timeline.1", "starting"),
    "two statuses in one entry": ("timeline.0.+aborted", {"error": "x"}),
    "output after the end": ("output.0.at", "9m"),
    "a stranger in output": ("output.0.+zzz", 1),
    "a stranger in repeated output": ("output.1.+zzz", 1),
    "no field of that name": ("output.1.text", "{n} {lost}"),
    "no field in a text without fields": ("output.0.text", "{lost}"),
    "a wrong field": ("output.1.fields.loss.from", "x"),
    "a stranger in a field": ("output.1.fields.loss.+zzz", "x"),
    "until before from": ("output.1.until", "2s"),
    "an unknown like": ("shapes.own.like", "eval-x-y"),
    "a beat too long": ("shapes.own.beats.0.for", "1m"),
    "a stranger in a beat": ("shapes.own.beats.0.+zzz", 1),
    "an unknown shape": ("metrics.1.shape", "zzz"),
    "an unknown shape beside": ("metrics.0.shape", "zzz"),
    "a stranger in a phase": ("metrics.0.+zzz", 1),
    "a stranger in the last phase": ("metrics.1.+zzz", 1),
    "a wrong quantity": ("metrics.0.gpu_memory", "50W"),
    "a phase without length": ("metrics.0.for", None),
    "an unknown series": ("series.+zzz", {"0s": 1}),
    "a wrong frame": ("series.gpuPowerWatt.0s", "hot"),
    "two disturbances": ("telemetry.0.+frozen", True),
    "telemetry backwards": ("telemetry.0.until", "1s"),
    "an unknown profile": ("hardware", "gpu.zzz"),
    "a variable with a value": ("needs_env.0", "A=b"),
    "too many callbacks": ("callbacks.times", 1000),
    "a stranger in callbacks": ("callbacks.+zzz", 1),
    "an unknown fault": ("faults.0.fault", "zzz"),
    "a fault backwards": ("faults.0.until", "0s"),
    "a parameter of other faults": ("faults.0.+over", "2s"),
    "a wrong status code": ("faults.1.answer.status", 99),
    "a wrong speed": ("selection.profiles.gpu.a100.speed", 0),
    "a profile's output after the end": ("selection.profiles.gpu.a100.output.0.at", "10m"),
    "a wrong analysis": ("selection.+analysis", "long"),
    "a wrong weight": ("variants.0.weight", 0),
    "a variant's output after its end": ("variants.1.output.0.at", "70s"),
    "a stranger in a variant": ("variants.1.+zzz", 1),
    "a sequence's output after the end": ("sequence.0.output.0.at", "5m"),
    "a stranger in a sequence": ("sequence.0.+zzz", 1),
    "an unknown shape in a sequence": ("sequence.1.metrics.0.shape", "zzz"),
    "a stranger in a sequence's phase": ("sequence.1.metrics.0.+zzz", 1),
    "an unknown ending of a sequence": ("after_sequence", "zzz"),
    "a stranger": ("+zzz", 1),
    "no such base": ("extends", "bse"),
}  # fmt: skip

UNKNOWN_WITH = {
    "a wrong kind": {"a condition that never holds"},
    "an unknown fault": {"a parameter of other faults"},
    "two statuses in one entry": {"a status twice"},
    "no such base": {
        "output after the end",
        "an unknown shape beside",
        "a profile's output after the end",
        "a sequence's output after the end",
        "an unknown shape in a sequence",
    },
}
"""Mistakes that only what should stand in another place could tell: to tell them would be to guess that."""


@pytest.fixture(scope="module")
def library() -> Library:
    library = Library()
    return library.with_added(library.read(BASE, name="base", source="base.yaml"))


def steps_of(place: str) -> list[str]:
    return place.replace("gpu.a100", "gpu-a100").split(".")


def mistaken(valid: dict[str, Any], *names: str) -> dict[str, Any] | None:
    """`valid` with these mistakes, None where it has no such place."""
    document = deepcopy(valid)
    for name in names:
        place, value = MISTAKES[name]
        *way, last = [step.replace("gpu-a100", "gpu.a100") for step in steps_of(place)]
        at: Any = document
        try:
            for step in way:
                at = at[int(step)] if isinstance(at, list) else at[step]
            if last.startswith("+"):
                at[last[1:]] = deepcopy(value)
                continue
            key = int(last) if isinstance(at, list) else last
            at[key]
        except (KeyError, IndexError, TypeError):
            return None
        if value is None:
            del at[key]
        else:
            at[key] = deepcopy(value)
    return document


def problems(library: Library, document: dict[str, Any] | None) -> set[tuple[str, str]]:
    text = json.dumps(document)
    try:
        library.read(text, name="mistake", source="m.yaml")
    except ScenarioError as error:
        return {(problem.path, problem.message) for problem in error.problems}
    return set()


@pytest.mark.parametrize("valid", [VALID, EXTENDING], ids=["whole", "extending"])
def test_no_mistake_hides_another_or_makes_one_up(library: Library, valid: dict[str, Any]) -> None:
    """Of any two mistakes in one file, each is told as it is where it is the only one, and nothing else is."""
    assert problems(library, valid) == set()
    alone = {name: problems(library, document) for name in MISTAKES if (document := mistaken(valid, name)) is not None}
    assert [name for name, told in alone.items() if not told] == []
    hidden, made_up = {}, {}
    for one, other in combinations(alone, 2):
        document = mistaken(valid, one, other)
        if document is None or MISTAKES[one][0] == MISTAKES[other][0]:
            continue
        told = problems(library, document)
        for name, hiding in ((one, other), (other, one)):
            if alone[name] - told and not (hiding in UNKNOWN_WITH and name in UNKNOWN_WITH[hiding]):
                hidden[name, hiding] = alone[name] - told
        if told - alone[one] - alone[other]:
            made_up[one, other] = told - alone[one] - alone[other]
    assert (hidden, made_up) == ({}, {})
