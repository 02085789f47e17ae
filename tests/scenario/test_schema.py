"""The published schema: current, and of one mind with the reader."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from emulator.documents import read_document
from emulator.errors import Problem, ScenarioError
from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.file.draft import Draft
from emulator.scenario.file.format import read_node, read_scenario, salvage_draft
from emulator.scenario.file.keys import KEYS
from emulator.scenario.file.metrics import QUANTITIES
from emulator.scenario.file.schema import scenario_schema, schema_text
from emulator.scenario.library import Library
from emulator.scenario.metrics import Quantity, ShapeName
from emulator.scenario.model import Scenario
from emulator.series_names import SERIES_NAMES
from emulator.statuses import TERMINAL
from emulator.times import format_duration

SCHEMA = scenario_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

durations = st.integers(0, 10**8).map(format_duration)
ranges = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(
    lambda ends: f"{format_duration(min(ends))}..{format_duration(max(ends))}"
)
lengths = durations | ranges
percents = st.integers(0, 100).map(lambda n: f"{n}%") | st.floats(0, 99).map(lambda x: f"{x:.2f}%")
rates = st.sampled_from(["190MB/s", "1.2GB/s", "0B/s", "7KiB/s"])
numbers = st.integers(-1000, 1000) | st.floats(-1e6, 1e6)
words = st.text("abcxyz -_.*", min_size=1, max_size=12)


def quantities(one: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return one | one.map(lambda v: f"{v}..{v}") | st.fixed_dictionaries({"from": one, "to": one})


def optional(**keys: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return {key.rstrip("_"): value for key, value in keys.items()}


endings = st.sampled_from([status.value for status in TERMINAL]) | st.one_of(
    st.fixed_dictionaries({}, optional={"error": words, "result": numbers, "return_code": st.integers(1, 255)}).map(
        lambda ending: {"failed": ending}
    ),
    st.fixed_dictionaries({}, optional={"result": st.lists(words)}).map(lambda ending: {"completed": ending}),
    st.fixed_dictionaries({}, optional={"error": words}).map(lambda ending: {"system_failure": ending}),
)
outputs = st.fixed_dictionaries(
    {"at": durations, "text": words}, optional={"stream": st.sampled_from(["stdout", "stderr"])}
) | st.fixed_dictionaries(
    {"every": durations, "text": words},
    optional={
        "from": durations,
        "until": durations,
        "fields": st.dictionaries(
            st.sampled_from(["loss", "step_2"]),
            numbers | words | st.just("2..9") | st.fixed_dictionaries({"from": numbers, "to": numbers}),
        ),
    },
)
built_in_shapes = st.sampled_from([shape.value for shape in ShapeName])
phases = st.fixed_dictionaries(
    {"phase": words, "shape": built_in_shapes | st.sampled_from(["mine", "nobodys"])},
    optional=optional(
        for_=lengths,
        gpu_memory=quantities(percents),
        power=quantities(st.just("350W")) | quantities(percents),
        pcie_rx=quantities(rates),
    ),
)
activities = st.integers(0, 999).map(lambda n: f"{n}%")
beats = st.fixed_dictionaries(
    {"every": durations, "for": lengths, "activity": activities | activities.map(lambda v: f"{v}..{v}")},
    optional={"jitter": percents, "sawtooth": st.just(True), "gpu_utilization": percents, "pcie_tx": rates},
)
shapes = st.fixed_dictionaries(
    {"like": built_in_shapes},
    optional={"tensor": percents, "power": st.just("350W"), "pcie_rx": rates, "beats": st.lists(beats, max_size=2)},
)
series_lists = st.lists(st.sampled_from(SERIES_NAMES), min_size=1, max_size=3)
stretches = {"from": durations, "until": durations}
kinds: dict[str, st.SearchStrategy[Any]] = {"missing": percents, "frozen": st.just(True), "late": durations}
disturbances: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries({"dropped": series_lists}, optional=stretches),
    *(
        st.fixed_dictionaries({kind: value}, optional=stretches | {"series": series_lists})
        for kind, value in kinds.items()
    ),
)
latencies = lengths | st.fixed_dictionaries({"median": durations, "p99": durations})
answers = st.integers(200, 599) | st.fixed_dictionaries(
    {"status": st.integers(200, 599)},
    optional={"headers": st.just({"Retry-After": 1, "X-Y": "z"}), "body": st.just({"a": [1]}) | words},
)
fault_limits: dict[str, st.SearchStrategy[Any]] = optional(
    while_=st.sampled_from(["running", "failed"]),
    times=st.integers(1, 9),
    skip=st.integers(0, 9),
    probability=percents,
    seed=st.integers(0, 9),
    from_=durations,
    until=durations,
)
late = fault_limits | {"latency": latencies}
places_of_faults = st.sampled_from(
    [{}, {"operation": "get_*"}, {"operation": "no_such"}, {"path": "/a/*"}, {"stream": True}]
)
kinds_of_faults: list[tuple[st.SearchStrategy[Any], dict[str, st.SearchStrategy[Any]]]] = [
    (st.just("unavailable"), {"retry_after": durations, "handled": st.just(True)}),
    (st.sampled_from(["reset", "expired-token"]), {"handled": st.just(True)}),
    (st.sampled_from(["truncated", "reset-in-body"]), {"after_bytes": st.integers(0, 9)}),
    (st.just("malformed-json"), {}),
    (st.just("slow-drip"), {"over": durations}),
    (st.sampled_from(["stream-cut", "stream-stalled"]), {"after_events": st.integers(0, 9)}),
    (st.just("stream-malformed"), {"after_events": st.integers(0, 9), "share": percents}),
    (st.sampled_from(["duplicate-lines", "out-of-order-lines"]), {"share": percents}),
]
faults = st.tuples(
    places_of_faults,
    st.one_of(
        st.fixed_dictionaries({"latency": latencies}, optional=fault_limits),
        st.fixed_dictionaries({"answer": answers}, optional=late | {"handled": st.just(True)}),
        *(st.fixed_dictionaries({"fault": name}, optional=late | more) for name, more in kinds_of_faults),
    ),
).map(lambda parts: parts[0] | parts[1])
matches = st.fixed_dictionaries(
    {},
    optional=optional(
        kind=st.sampled_from(["python", "docker", "compose", "gpu_selection"]),
        file_name=words,
        code=words,
        labels=st.lists(words, min_size=1, max_size=3),
        metadata=st.dictionaries(words, words, min_size=1, max_size=2),
    ),
)
timelines = st.tuples(lengths, endings).map(lambda t: [{"running": t[0]}, t[1]])
alterable = optional(timeline=timelines, output=st.lists(outputs, max_size=2), seed=st.integers(0, 9))
selections = st.fixed_dictionaries(
    {},
    optional=optional(
        profiles=st.dictionaries(
            st.sampled_from(["gpu.h100", "a100", "gpu.l40s.4x"]),
            st.fixed_dictionaries({}, optional=alterable | {"speed": st.floats(0.01, 50)}),
            min_size=1,
            max_size=2,
        ),
        extraction=lengths,
        error=words,
        code_check=st.sampled_from(["ignore", "enforce"]),
        parameters=st.floats(0.01, 500),
    ),
)
alterable |= {"selection": selections}
variants = st.lists(
    st.fixed_dictionaries({}, optional=alterable | {"weight": st.integers(1, 9), "name": words}),
    min_size=1,
    max_size=3,
)
entries = st.lists(
    st.fixed_dictionaries({}, optional=alterable | {"variants": variants, "name": words}), min_size=1, max_size=3
)
names = st.sampled_from(["oom", "a-1", "0._"])
OPTIONAL: dict[str, st.SearchStrategy[Any]] = optional(
    summary=words,
    selection=selections,
    match=matches,
    variants=variants,
    sequence=entries,
    after_sequence=st.sampled_from(["repeat", "restart"]),
    timeout=st.sampled_from(["ignore", "enforce"]),
    output=st.lists(outputs, max_size=3),
    metrics=st.lists(phases, max_size=3),
    series=st.dictionaries(
        st.sampled_from(SERIES_NAMES),
        st.dictionaries(durations, numbers, min_size=1, max_size=3),
        max_size=2,
    ),
    shapes=st.dictionaries(st.sampled_from(["mine", "x.1", "other-shape"]), shapes, max_size=2),
    metrics_from=st.sampled_from(["starting", "running"]),
    telemetry=st.lists(disturbances, max_size=3),
    faults=st.lists(faults, max_size=3),
    stop_status=st.sampled_from(["completed", "cancelled"]),
    shutdown=lengths,
    seed=st.integers(0, 2**63 - 1),
    hardware=st.sampled_from(["gpu.h100", "cpu", "gpu", "h100", "l40s.4x", "gpu.a100.40gb.2x"]),
    callbacks=st.just("none")
    | st.fixed_dictionaries({}, optional={"times": st.integers(1, 10), "delay": st.sampled_from(["3s", "0s..1m"])}),
)
scenarios = st.one_of(
    st.just({"timeline": timelines}),
    st.just({"extends": names}),
    st.just({"timeline": timelines, "extends": names}),
).flatmap(lambda required: st.fixed_dictionaries(required, optional=OPTIONAL))
WORDS = (
    "train-llm|4|4s|1.5s|35..50s|9s..3s|85%|101%|0.5%|350W|1:30|until_stopped|completed|running|stderr|{n}|1GB/s|100.0%"
    "|reset|503|unavailable|h1000|cpu|cpu.2x|2x"
)
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    4,
    10**20,
    "",
    "a\nb",
    "x" * 1001,
    "4s\n",
    "٤s",
    [],
    [1],
    ["4s"],
    {},
]
ADDED = ["from", "at", "every", "result", "error", "x", "0s", "weight", "variants", "sequence", "extends", "match"]
RAMPS: list[Any] = [{"x": 1}, {"from": 1, "to": 2}, {"from": "1%", "to": "2%"}]
junk = st.sampled_from([*ODD, *RAMPS, *WORDS.split("|")])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


@st.composite
def mutations(draw: st.DrawFn) -> Any:
    """A valid file with one value replaced, one key renamed, added or taken away."""
    whole = copy.deepcopy(draw(scenarios))
    *front, last = draw(st.sampled_from([place for place in places(whole) if place]))
    parent: Any = whole
    for step in front:
        parent = parent[step]
    match draw(st.sampled_from(["replace", "rename", "delete", "add"])):
        case "replace":
            parent[last] = draw(junk)
        case "rename" if isinstance(parent, dict):
            parent[
                draw(
                    st.sampled_from(
                        [*(key.name for key in KEYS), "from", "n", "4", "4s", "", "failed", "cpu", "gpu.h10"]
                    )
                )
            ] = parent.pop(last)
        case "add" if isinstance(parent, dict):
            parent[draw(st.sampled_from(ADDED))] = draw(junk)
        case "delete":
            del parent[last]
    return whole


def reader_findings(value: Any) -> tuple[bool, bool]:
    """Whether the reader accepts `value`, and whether it refuses it for what a schema could say."""
    document = read_document(json.dumps(value))
    if document.root is None:
        return False, False
    draft, findings = read_node(document.root, name="x", source="x", text="")
    return draft is not None, any(not finding.beyond_schema for finding in findings.found)


@given(scenarios)
def test_the_schema_accepts_what_the_reader_accepts(value: Any) -> None:
    accepted, refused_for_its_form = reader_findings(value)
    event(f"accepted: {accepted}")
    assert not refused_for_its_form
    assert VALIDATOR.is_valid(value)


@given(mutations())
@example({"timeline": [{"running": "1s"}], "metrics": [{"phase": "a", "shape": 10**20}]})  # digits, but no name
def test_schema_and_reader_refuse_the_same_files(value: Any) -> None:
    if "" in _keys(value):  # refused as YAML, before the reader sees it
        return
    _, refused_for_its_form = reader_findings(value)
    event(f"refused: {refused_for_its_form}")
    assert VALIDATOR.is_valid(value) is not refused_for_its_form


@given(mutations())
def test_what_is_salvaged_of_a_file_hides_nothing_that_the_reader_finds(value: Any) -> None:
    text = json.dumps(value)
    assert set(_told(salvage_draft, text)) <= set(_told(read_scenario, text))


def _told(read: Callable[..., Draft | Scenario], text: str) -> tuple[Problem, ...]:
    try:
        found = read(text, name="x", source="x")
    except ScenarioError as error:
        return error.problems
    return found.problems if isinstance(found, Draft) else ()


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_keys(child) for child in value.values()))
    return set().union(*(_keys(child) for child in value)) if isinstance(value, list) else set()


def test_the_published_schema_is_current() -> None:
    """If this fails: `python -m emulator.scenario.file.schema > scenarios/schema.json`."""
    assert (SCENARIO_DIRECTORY / "schema.json").read_text("utf-8") == schema_text()


def test_every_key_is_documented_with_an_example_that_its_own_schema_accepts() -> None:
    def check(schema: Any, path: str) -> int:
        if not isinstance(schema, dict):
            return 0
        count = 0
        for name, key in schema.get("properties", {}).items():
            assert len(key["description"]) > 15, f"{path}.{name}"
            for shown in key.get("examples", []):
                own = json.dumps(key | {"$defs": SCHEMA["properties"]}).replace("#/properties/", "#/$defs/")
                assert Draft202012Validator(json.loads(own)).is_valid(shown), f"{path}.{name}"
                count += 1
        for value in schema.values():
            for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
                count += check(child, path)
            count += check(value, path)
        return count

    assert check(SCHEMA, "") > 30


@pytest.mark.parametrize("path", sorted(SCENARIO_DIRECTORY.glob("*.yaml")), ids=lambda path: path.stem)
def test_built_in_files_are_valid_and_name_their_schema(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=./schema.json\n")
    VALIDATOR.validate(read_document(text).plain())


def test_every_quantity_has_a_key() -> None:
    assert set(QUANTITIES) == set(Quantity)


def test_the_library_has_no_schema_among_its_scenarios() -> None:
    assert "schema" not in {each.name for each in Library.load(built_in=SCENARIO_DIRECTORY).scenarios()}
