"""The `metrics` and `series` of a scenario file: what the GPU does in each phase, exact values for tests."""

from __future__ import annotations

from types import MappingProxyType

from emulator.documents import SequenceNode
from emulator.scenario.file.durations import Duration, DurationOrRange
from emulator.scenario.file.grammar import Findings
from emulator.scenario.file.quantities import QuantityOverride
from emulator.scenario.file.records import Key, ListOf, Located, Record, Table, Values
from emulator.scenario.file.scalars import Choice, Number, Text
from emulator.scenario.file.shapes import DOCS, EXAMPLES, QUANTITY_SYNONYMS, ShapeReference, measure_of
from emulator.scenario.metrics import Keyframes, MetricPhase, Override, Quantity, ShapeName
from emulator.scenario.ranges import DurationRange
from emulator.series_names import SERIES_NAMES

PHASE: Key[str] = Key(
    "phase", Text("a name", min_length=1, max_length=100), "The phase's name.", "train", required=True
)
FOR: Key[DurationRange] = Key(
    "for", DurationOrRange(), "How long it lasts; the last phase may leave it out, and takes the rest.", "30s"
)
SHAPE: Key[str] = Key(
    "shape",
    ShapeReference(),
    "What the GPU is busy with, a built-in shape or one of `shapes`: every quantity follows from it unless it is"
    " given here.",
    "train-llm",
    required=True,
)
QUANTITIES: dict[Quantity, Key[Override]] = {
    quantity: Key(quantity.value, QuantityOverride(measure_of(quantity)), doc, EXAMPLES.get(quantity, "85%"))
    for quantity, doc in DOCS.items()
}


def _build(values: Values, findings: Findings) -> MetricPhase:
    overrides = {quantity: values[key] for quantity, key in QUANTITIES.items() if key in values}
    return MetricPhase(values[PHASE], values[SHAPE], values.get(FOR, None), MappingProxyType(overrides))


def _salvage(values: Values) -> MetricPhase:
    """Its shape, a built-in one if that could not be read, and whether it says how long it lasts."""
    duration = values.get(FOR, DurationRange(0, 0) if values.tried(FOR) else None)
    return MetricPhase(values.get(PHASE, ""), values.get(SHAPE, ShapeName.BARE_IDLE), duration)


METRICS: ListOf[MetricPhase] = ListOf(
    Record(
        "a phase such as `{phase: train, shape: train-llm}`",
        (PHASE, FOR, SHAPE, *QUANTITIES.values()),
        _build,
        synonyms=QUANTITY_SYNONYMS | {"name": "phase", "duration": "for", "type": "shape"},
        salvage=_salvage,
    ),
    "a list of phases",
    1000,
)

SERIES: Table[str, dict[int, Located[float]]] = Table(
    Choice(SERIES_NAMES),
    Table(Duration(), Number(), "times with values, such as `{0s: 40, 2m: 91.5}`", 1),  # type: ignore[arg-type]
    "a mapping from series to times with values",
)


def check_metrics(values: Values, key: Key[tuple[Located[MetricPhase], ...]], findings: Findings) -> None:
    """Only the last phase of `key` takes the rest of running."""
    phases = values.readable(key, ())
    if not phases:
        return
    node = values.entry(key).value
    # Counted in the text: some of its phases may be unreadable.
    last = f"[{len(node.items) - 1}]" if isinstance(node, SequenceNode) else ""
    for located in phases:
        if located.value.duration is None and not located.path.endswith(last):
            message = "only the last phase may leave out `for`: say how long this one lasts"
            findings.note(located.node, located.path, message, beyond_schema=True)


def keyframes(table: Located[dict[int, Located[float]]]) -> Keyframes:
    """The frames of one series in order of time."""
    return tuple((at_ms, frame.value) for at_ms, frame in sorted(table.value.items(), key=lambda item: item[0]))
