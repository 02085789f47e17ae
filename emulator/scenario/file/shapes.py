"""The `shapes` of a scenario file: its own ones, and the names by which phases ask for shapes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emulator.documents import MappingNode, Node, ScalarNode
from emulator.documents.syntax import cut
from emulator.scenario.file.alternatives import NAME_PATTERN
from emulator.scenario.file.durations import Duration, DurationOrRange
from emulator.scenario.file.grammar import Findings, Form, Schema, listed, nearest, shown
from emulator.scenario.file.quantities import BYTE_RATE, FACTOR, PERCENT, POWER, Measure, OneOrRange, Reading
from emulator.scenario.file.records import Key, ListOf, Located, Record, Table, Values
from emulator.scenario.file.scalars import Choice, Text, Yes, is_long
from emulator.scenario.metrics import BeatSpec, MetricPhase, Override, Quantity, ShapeName, ShapeSpec
from emulator.scenario.ranges import DurationRange, NumberRange
from emulator.times import format_duration

SHORTEST_BEAT_MS, LONGEST_BEAT_MS = 500, 86_400_000
MOST_TIMES_FASTER = 1_000
"""So many times as long as the fastest beat may the slowest one be: a shape's cycle is laid out pause by pause."""

MOST_PAUSES = 20_000
"""So many pauses may the phases with beats of the file's own come to, for the same reason."""

USUAL_JITTER_PERCENT = 2.0
_MOST_NAMED = 5

_BUILT_IN = [shape.value for shape in ShapeName]
_SYNONYMS = (
    {"idle": "bare-idle", "load": "load-weights", "train": "train-llm", "training": "train-llm"}
    | {"llm": "train-llm", "vision": "train-vision", "warmup": "context"}
)  # fmt: skip

DOCS = {
    Quantity.GPU_UTILIZATION: "Share of time in which a kernel ran.",
    Quantity.GPU_MEMORY: "Frame buffer in use.",
    Quantity.SM: "Share of time in which the SMs were busy.",
    Quantity.TENSOR: "Share of time in which the tensor cores were busy.",
    Quantity.DRAM: "Share of time in which the memory interface was busy.",
    Quantity.POWER: "Power draw, in watts or as a share of the limit.",
    Quantity.POWER_LIMIT: "The board's power limit, as a share of its usual one.",
    Quantity.AIRFLOW: "Cooling, as a share of what the board should get.",
    Quantity.PCIE_RX: "Bytes from the host to the GPU.",
    Quantity.PCIE_TX: "Bytes from the GPU to the host.",
    Quantity.CPU: "The machine's processors in use.",
    Quantity.RAM: "The machine's memory in use.",
}
EXAMPLES = {Quantity.POWER: "350W", Quantity.PCIE_RX: "1.2GB/s", Quantity.PCIE_TX: "190MB/s"}
QUANTITY_SYNONYMS = (
    {"gpu": "gpu_utilization", "utilization": "gpu_utilization", "memory": "gpu_memory", "vram": "gpu_memory"}
    | {"tensor_cores": "tensor", "rx": "pcie_rx", "tx": "pcie_tx", "system_memory": "ram"}
)  # fmt: skip


def measure_of(quantity: Quantity) -> Measure:
    """The numbers that `quantity` takes, with their units."""
    return {Quantity.POWER: POWER, Quantity.PCIE_RX: BYTE_RATE, Quantity.PCIE_TX: BYTE_RATE}.get(quantity, PERCENT)


@dataclass(frozen=True)
class ShapeReference(Form[str]):
    """The name of a shape, a built-in or an own one; whether it exists is for `check_shapes`."""

    @property
    def words(self) -> str:  # type: ignore[override]  # computed, where other forms store it
        return listed(_BUILT_IN)

    def read(self, node: Node, path: str, findings: Findings) -> str:
        is_name = Text(pattern=NAME_PATTERN).fits
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and not is_long(node) and is_name(node.value):
            return node.value
        raise findings.refused(node, path, _no_shape(node, _BUILT_IN))

    def schema(self) -> Schema:
        return {"anyOf": [{"enum": _BUILT_IN}, Text(pattern=NAME_PATTERN).schema()]}


@dataclass(frozen=True)
class _OwnName(Form[str]):
    """What an own shape can be called."""

    words: str = "a name of small letters, digits, `-`, `_` and `.`"

    def read(self, node: Node, path: str, findings: Findings) -> str:
        name = Text(self.words, NAME_PATTERN).read(node, path, findings)
        if name in _BUILT_IN:
            message = f"`{name}` is a built-in shape: choose another name, such as `my-{name}`"
            raise findings.refused(node, path, message)
        return name

    def schema(self) -> Schema:
        return Text(self.words, NAME_PATTERN).schema() | {"not": {"enum": _BUILT_IN}}


EVERY: Key[int] = Key(
    "every",
    Duration(),
    "How often the pause comes back. Of several beats, the slowest may be at most"
    f" {MOST_TIMES_FASTER} times as long as the fastest, where one with a `sawtooth` counts as"
    f" {format_duration(SHORTEST_BEAT_MS)}.",
    "10s",
    required=True,
)
FOR: Key[DurationRange] = Key("for", DurationOrRange(), "How long it lasts.", "2s..3s", required=True)
ACTIVITY: Key[Override] = Key(
    "activity",
    OneOrRange(FACTOR),
    "What is left of the shape's activity meanwhile, or more than that above 100%. Of a range, mostly its upper end.",
    "10%..40%",
    required=True,
)
JITTER: Key[Reading] = Key(
    "jitter", PERCENT, "How much earlier or later it may come than `every` says; 2% if left out.", "10%"
)
SAWTOOTH: Key[bool] = Key(
    "sawtooth", Yes(), "Lets the time before the pause decline towards it, as a queue that drains.", True
)
_DURING = (Quantity.GPU_UTILIZATION, Quantity.PCIE_RX, Quantity.PCIE_TX)
_DURING_KEYS: dict[Quantity, Key[Override]] = {
    quantity: Key(
        quantity.value,
        OneOrRange(measure_of(quantity)),
        f"{DOCS[quantity][:-1]} meanwhile.",
        EXAMPLES.get(quantity, "5%"),
    )
    for quantity in _DURING
}
BEAT_KEYS = (EVERY, FOR, ACTIVITY, JITTER, SAWTOOTH, *_DURING_KEYS.values())


def _check_beat(values: Values, findings: Findings) -> None:
    """The bounds of a beat, as far as its times could be read."""

    def note(key: Key[int] | Key[DurationRange], message: str) -> None:
        findings.note(values.entry(key).value, f"{values.path}.{key.name}", message, beyond_schema=True)

    every_ms = values.get(EVERY, LONGEST_BEAT_MS)
    if not SHORTEST_BEAT_MS <= every_ms <= LONGEST_BEAT_MS:
        least, most = format_duration(SHORTEST_BEAT_MS), format_duration(LONGEST_BEAT_MS)
        note(EVERY, f"a beat comes back after `{least}` to `{most}`, not `{format_duration(every_ms)}`")
        return
    lasts = values.get(FOR, DurationRange(1, 1))
    jitter = values[JITTER].value if JITTER in values else USUAL_JITTER_PERCENT
    shortest_ms = every_ms * (1 - jitter / 100.0)
    if lasts.low_ms == 0:
        note(FOR, "must be longer than `0s`")
    elif EVERY in values and lasts.high_ms >= shortest_ms:
        lasts_up_to, comes_back = format_duration(lasts.high_ms), format_duration(int(shortest_ms))
        message = f"a pause of up to `{lasts_up_to}` does not fit a beat that may come back after `{comes_back}`"
        note(FOR, f"{message} (`every` less its `jitter`)")


def _build_beat(values: Values, findings: Findings) -> BeatSpec:
    during = {quantity: _range_of(values[key]) for quantity, key in _DURING_KEYS.items() if key in values}
    return BeatSpec(
        every_ms=values[EVERY],
        lasts=values[FOR],
        activity=_range_of(values[ACTIVITY]),
        jitter_percent=values[JITTER].value if JITTER in values else USUAL_JITTER_PERCENT,
        sawtooth=values.get(SAWTOOTH, False),
        during=MappingProxyType(during),
    )


def _range_of(override: Override) -> NumberRange:
    value = override.value
    return value if isinstance(value, NumberRange) else NumberRange(value, value)  # type: ignore[arg-type]  # no ramps here


LIKE: Key[str] = Key(
    "like",
    Choice(_BUILT_IN, _SYNONYMS),
    "The built-in shape that it is like, but for what is given here.",
    "train-llm",
    required=True,
)
LEVELS: dict[Quantity, Key[Reading]] = {
    quantity: Key(quantity.value, measure_of(quantity), doc, EXAMPLES.get(quantity, "85%"))
    for quantity, doc in DOCS.items()
}
BEATS = Key(
    "beats",
    ListOf(
        Record(
            "a beat such as `{every: 10s, for: 2s..3s, activity: 60%..80%}`",
            BEAT_KEYS,
            _build_beat,
            _check_beat,
            synonyms={"period": "every", "interval": "every", "lasts": "for", "duration": "for", "level": "activity"},
        ),
        "a list of beats",
        4,
    ),
    "Pauses that come back, in place of those of `like`: the end of a step, a checkpoint, the wait for data. They"
    " nest, the faster ones within the slower; `[]` is an even load.",
    [{"every": "10s", "for": "2s..3s", "activity": "60%..80%"}],
)


def _check_beats(values: Values, findings: Findings) -> None:
    beats = [each.value for each in values.get(BEATS, ())]
    if _pauses(beats) <= MOST_TIMES_FASTER:
        return
    slowest_ms, fastest_ms = max(beat.every_ms for beat in beats), _fastest_ms(beats)
    most = f"at most {format_duration(fastest_ms * MOST_TIMES_FASTER)}"
    if any(beat.sawtooth for beat in beats):
        hint = f"{most}, since a sawtooth counts as {format_duration(SHORTEST_BEAT_MS)}"
    else:
        least_ms = -(-slowest_ms // MOST_TIMES_FASTER)
        hint = f"{most} beside {format_duration(fastest_ms)}"
        hint += f", or at least {format_duration(least_ms)} beside {format_duration(slowest_ms)}"
    message = f"the slowest beat is more than {MOST_TIMES_FASTER} times as long as the fastest: write {hint}"
    findings.note(values.entry(BEATS), f"{values.path}.{BEATS.name}", message, beyond_schema=True)


def _fastest_ms(beats: Collection[BeatSpec]) -> int:
    return min(SHORTEST_BEAT_MS if beat.sawtooth else beat.every_ms for beat in beats)


def _pauses(beats: Collection[BeatSpec]) -> float:
    """How many times the fastest beat fits the slowest one."""
    return max(beat.every_ms for beat in beats) / _fastest_ms(beats) if beats else 0.0


def _build_shape(values: Values, findings: Findings) -> ShapeSpec:
    read = {quantity: values[key] for quantity, key in LEVELS.items() if key in values}
    levels = {quantity: Override(reading.value, reading.unit) for quantity, reading in read.items()}
    beats = [each.value for each in values[BEATS]] if BEATS in values else None
    slowest_first = None if beats is None else tuple(sorted(beats, key=lambda beat: -beat.every_ms))
    return ShapeSpec(ShapeName(values[LIKE]), MappingProxyType(levels), slowest_first)


SHAPES: Table[str, ShapeSpec] = Table(
    _OwnName(),
    Record(
        "a shape such as `{like: train-llm, tensor: 30%}`",
        (LIKE, *LEVELS.values(), BEATS),
        _build_shape,
        _check_beats,
        synonyms=QUANTITY_SYNONYMS | dict.fromkeys(("extends", "base", "shape", "from"), "like") | {"pauses": "beats"},
    ),
    "a mapping from names to shapes, such as `{my-training: {like: train-llm, tensor: 30%}}`",
    max_entries=100,
)


def check_shapes(
    phases: tuple[Located[MetricPhase], ...], shapes: Mapping[str, Located[ShapeSpec | None]], findings: Findings
) -> None:
    """Every phase's shape is a built-in one or one of `shapes`, and their beats do not come to too many.

    None stands for a shape that could not be read.
    """
    pauses = 0.0
    for located in phases:
        name = located.value.shape
        own = shapes.get(name)
        node = _child(located.node, "shape")
        if own is None and name not in _BUILT_IN:
            findings.note(node, f"{located.path}.shape", _no_shape(node, _BUILT_IN, shapes), beyond_schema=True)
            continue
        before, pauses = pauses, pauses + (_pauses(own.value.beats or ()) if own is not None and own.value else 0.0)
        if before <= MOST_PAUSES < pauses:
            message = f"up to here the phases come to more than {MOST_PAUSES} pauses of their shapes' beats"
            findings.note(node, f"{located.path}.shape", message, beyond_schema=True)


def _no_shape(node: Node, built_in: list[str], own: Collection[str] = ()) -> str:
    near = (
        nearest(node.text, [*own, *built_in], _SYNONYMS) if isinstance(node, ScalarNode) and node.text.strip() else None
    )
    if near is not None and isinstance(node, ScalarNode):
        return f"there is no `{cut(node.text)}` here: did you mean `{near}`?"
    return f"expected {listed([*sorted(own)[:_MOST_NAMED], *built_in])}, found {shown(node)}"


def _child(node: Node, key: str) -> Node:
    entries = node.entries if isinstance(node, MappingNode) else ()
    return next((entry.value for entry in entries if entry.key == key), node)
