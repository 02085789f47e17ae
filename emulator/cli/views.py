"""Scenarios in the words of their files: for lists, and with everything that they take over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import yaml

from emulator.documents.nodes import PlainData, plain_data
from emulator.scenario.faces import faces_of, key_sets
from emulator.scenario.file.durations import UNTIL_STOPPED
from emulator.scenario.file.keys import PERSONAL
from emulator.scenario.file.records import Located
from emulator.scenario.matching import plain_match
from emulator.scenario.model import Scenario, Selection
from emulator.scenario.ranges import DurationRange
from emulator.scenario.timeline import Ending
from emulator.statuses import RunStatus
from emulator.times import format_duration

_DEFAULT_METRICS = [{"phase": "train", "shape": "train-llm"}]
_SHORT = 100
_UNSET = {
    "seed": "each run's own",
    "hardware": "the one submitted for",
    "selection": "all listed GPU profiles, as fast as they are",
}


def span(length: DurationRange | None) -> str:
    """`4s`, `35s..50s` or `until_stopped`."""
    if length is None:
        return UNTIL_STOPPED
    low, high = format_duration(length.low_ms), format_duration(length.high_ms)
    return low if low == high else f"{low}..{high}"


def row(scenario: Scenario) -> dict[str, Any]:
    """A scenario as lists have it; `lasts` and `ends` have an item for each way in which its runs may differ."""
    faces = list(faces_of(scenario))
    return {
        "name": scenario.name,
        "summary": scenario.summary,
        "source": scenario.source,
        "extends": list(scenario.bases),
        "lasts": list(dict.fromkeys(span(_total(face)) for face in faces)),
        "ends": list(dict.fromkeys(_ending_words(face.ending) for face in faces)),
        "match": scenario.match and plain_match(scenario.match),
    }


def _total(scenario: Scenario) -> DurationRange | None:
    """How long a run lasts in all, None without end."""
    spans = [stage.duration for stage in scenario.timeline if stage.duration is not None]
    if len(spans) < len(scenario.timeline):
        return None
    return DurationRange(sum(each.low_ms for each in spans), sum(each.high_ms for each in spans))


def _ending_words(ending: Ending | None) -> str:
    """`failed (1)`, `completed`."""
    if ending is None:
        return "when stopped"
    return f"failed ({ending.return_code})" if ending.status is RunStatus.FAILED else ending.status.value


def resolved(scenario: Scenario) -> dict[str, Any]:
    """A scenario file that says the same without extending another, and with every default written out.

    `seed`, `hardware` and `selection` have no default that could be written, and are left out where they are not given.
    """
    view: dict[str, Any] = {"summary": scenario.summary}
    if scenario.match is not None:
        view["match"] = plain_match(scenario.match)
    written = _written(scenario)
    whole = _script(scenario, written)
    view |= whole
    if scenario.variants:
        view["variants"] = _variants(scenario, whole, written)
    if scenario.sequence:
        view["sequence"] = [_entry(each, whole, written) for each in scenario.sequence]
        view["after_sequence"] = "restart" if scenario.restarts else "repeat"
    return view


def _entry(entry: Scenario, whole: dict[str, Any], written: dict[int, PlainData]) -> dict[str, Any]:
    own = _script(entry, written)
    view = ({} if entry.label is None else {"name": entry.label}) | _difference(own, whole)
    return view | {"variants": _variants(entry, own, written)} if entry.variants else view


def _variants(scenario: Scenario, whole: dict[str, Any], written: dict[int, PlainData]) -> list[dict[str, Any]]:
    return [
        {"weight": each.weight}
        | ({} if each.name is None else {"name": each.name})
        | _difference(_script(each.scenario, written), whole)
        for each in scenario.variants
    ]


def _difference(keys: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if whole.get(key) != value}


def _script(scenario: Scenario, written: dict[int, PlainData]) -> dict[str, Any]:
    """The keys that an alternative may give."""
    timeline: list[Any] = [{stage.status.value: span(stage.duration)} for stage in scenario.timeline]
    if scenario.ending is not None:
        timeline.append(_ending(scenario.ending))
    view: dict[str, Any] = {
        "timeout": scenario.time_limit.value,
        "timeline": timeline,
        "output": [written[id(entry)] for entry in scenario.output],
        "metrics": [written[id(phase)] for phase in scenario.metrics] or _DEFAULT_METRICS,
        "shapes": {name: written[id(shape)] for name, shape in scenario.shapes.items()},
        "series": {
            name: {format_duration(at_ms): value for at_ms, value in frames} for name, frames in scenario.series.items()
        },
        "metrics_from": scenario.metrics_from.value,
        "telemetry": [written[id(fault)] for fault in scenario.telemetry],
        "stop_status": scenario.stop_status.value,
        "shutdown": span(scenario.shutdown),
        "needs_env": list(scenario.needs_env),
        "faults": [written[id(fault)] for fault in scenario.faults],
    }
    given: dict[str, Any] = {"seed": scenario.seed, "hardware": scenario.hardware}
    if scenario.selection is not None:
        given["selection"] = _selection(scenario.selection, view, written)
    return view | {key: value for key, value in given.items() if value is not None}


def _selection(selection: Selection, whole: dict[str, Any], written: dict[int, PlainData]) -> dict[str, Any]:
    """`selection` as a file has it: of each profile, what differs from `whole`."""
    view: dict[str, Any] = {}
    if selection.profiles is not None:
        view["profiles"] = {
            name: ({} if plan.speed is None else {"speed": plan.speed})
            | ({} if plan.scenario is None else _difference(_script(plan.scenario, written), whole))
            for name, plan in selection.profiles.items()
        }
    view |= {name: span(getattr(selection, name)) for name in ("analysis", "extraction", "processing")}
    view |= {} if selection.error is None else {"error": selection.error}
    return view | {
        "code_check": "enforce" if selection.checks_code else "ignore",
        "parameters": selection.parameters,
    }


def _ending(ending: Ending) -> Any:  # noqa: ANN401 - a word, or a mapping as the file has it
    given = {"return_code": ending.return_code, "error": ending.error, "result": ending.result}
    details = {name: value for name, value in given.items() if value is not None}
    return {ending.status.value: details} if details else ending.status.value


def _written(scenario: Scenario) -> dict[int, PlainData]:
    """Entries of lists, and shapes, as they were written, by the identity of what was read of them."""
    given = [keys for draft in scenario.drafts for keys in key_sets(draft.keys)]
    lists = [cast("tuple[Located[object], ...]", keys[name].value) for keys in given for name in _LISTS if name in keys]
    tables = [cast("dict[str, Located[object]]", keys["shapes"].value) for keys in given if "shapes" in keys]
    entries = [*lists, *(table.values() for table in tables)]
    return {id(located.value): plain_data(located.node) for each in entries for located in each}


_LISTS = ("output", "metrics", "telemetry", "faults")


def not_given(scenario: Scenario) -> Iterator[str]:
    """The keys that hold without the file saying so, and where they come from, as YAML comments."""
    own, view = scenario.drafts[-1].keys, resolved(scenario)
    for key, value in (view | {key: words for key, words in _UNSET.items() if key not in view}).items():
        if key in own or value in ([], {}):
            continue
        bases = [] if key in PERSONAL else [draft.name for draft in scenario.drafts[:-1] if key in draft.keys]
        origin = f"from {bases[-1]}" if bases else "default"
        first, *rest = as_yaml({key: value}).rstrip("\n").split("\n")
        yield f"#   {first}  # {origin}"
        yield from (f"#   {line}" for line in rest)


class _Dumper(yaml.SafeDumper):
    """Writes line ends as `\\n`, and what occurs twice twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401 - as they have it
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, '"' if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_yaml(value: dict[str, Any]) -> str:
    """`value` as people write scenario files: what is short on one line, the rest in blocks."""
    return "\n".join(_block(value)) + "\n"


def _lines(value: Any) -> list[str]:  # noqa: ANN401 - whatever a file may hold
    flow = _flow(value)
    is_list_of_mappings = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    short = len(flow) <= _SHORT and not is_list_of_mappings
    return [flow] if short or not isinstance(value, dict | list) or not value else _block(value)


def _block(value: dict[str, Any] | list[Any]) -> list[str]:
    block = []
    if isinstance(value, list):
        for each in value:
            first, *rest = _lines(each)
            block += [f"- {first}", *(f"  {line}" for line in rest)]
        return block
    for key, each in value.items():
        lines = _lines(each)
        one_line = len(lines) == 1 and not (isinstance(each, list) and lines[0].startswith("- "))
        block += [f"{_flow(key)}: {lines[0]}"] if one_line else [f"{_flow(key)}:", *(f"  {line}" for line in lines)]
    return block


def _flow(value: Any) -> str:  # noqa: ANN401 - as in _lines
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    )
    return text.rstrip("\n").removesuffix("\n...")
