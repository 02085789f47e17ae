"""The `telemetry` of a scenario file: what goes wrong between the GPU and whoever reads its metrics."""

from __future__ import annotations

from emulator.scenario.file.durations import Duration
from emulator.scenario.file.grammar import Findings, listed
from emulator.scenario.file.quantities import PERCENT, Reading
from emulator.scenario.file.records import Key, ListOf, Located, Record, Values
from emulator.scenario.file.scalars import Choice, Yes
from emulator.scenario.pipeline import FaultKind, PipelineFault
from emulator.series_names import SERIES_NAMES

_SERIES_LIST: ListOf[str] = ListOf(Choice(SERIES_NAMES), "a list of series such as `[gpuPowerWatt]`", 12, 1)

MISSING: Key[Reading] = Key(
    "missing", PERCENT, "So many scrapes are lost, each with all its series; `100%` is a gap.", "20%"
)
FROZEN: Key[bool] = Key("frozen", Yes(), "The exporter hangs, and repeats what it showed when this began.", True)
LATE: Key[int] = Key("late", Duration(), "Points are there only so long after their time.", "45s")
DROPPED: Key[tuple[Located[str], ...]] = Key(
    "dropped", _SERIES_LIST, "These series are not there, as if the device did not have them.", ["gpuPowerWatt"]
)
FROM: Key[int] = Key("from", Duration(), "When it begins; with the first point if left out.", "1m")
UNTIL: Key[int] = Key("until", Duration(), "When it is over; at the end of the run if left out.", "2m")
SERIES: Key[tuple[Located[str], ...]] = Key(
    "series", _SERIES_LIST, "The series that it concerns: all if left out. `dropped` has its own.", ["gpuPowerWatt"]
)
_KINDS = (MISSING, FROZEN, LATE, DROPPED)


def _check(values: Values, findings: Findings) -> None:
    """One kind of disturbance an entry, and it ends after it begins."""
    kinds = [key for key in _KINDS if values.tried(key)]
    if not kinds:
        message = f"nothing says what goes wrong: write {listed([key.written() for key in _KINDS])}"
        findings.note(values.node, values.path, message)
    elif len(kinds) > 1:
        both = listed([key.name for key in kinds], "and")
        message = f"{both} in one entry: give each an entry of its own"
        findings.note(values.node, values.path, message)
    elif DROPPED in values and values.tried(SERIES):
        message = "`dropped` names its series itself: leave `series` out"
        findings.note(values.node, values.path, message)
    if UNTIL in values and values[UNTIL] <= values.get(FROM, 0):
        message = "must be longer than `0s`" if FROM not in values else "`until` does not come after `from`"
        findings.note(values.entry(UNTIL).value, f"{values.path}.until", message, beyond_schema=True)


def _build(values: Values, findings: Findings) -> PipelineFault:
    kind = next(key for key in _KINDS if key in values)
    series = values.get(DROPPED, values.get(SERIES, ()))
    return PipelineFault(
        kind=FaultKind(kind.name),
        from_ms=values.get(FROM, None),
        until_ms=values.get(UNTIL, None),
        series=tuple(located.value for located in series),
        ratio=values[MISSING].value / 100.0 if MISSING in values else 1.0,
        delay_ms=values.get(LATE, 0),
    )


DISTURBANCE_KEYS = (*_KINDS, FROM, UNTIL, SERIES)
TELEMETRY: ListOf[PipelineFault] = ListOf(
    Record(
        "a disturbance such as `{missing: 20%, from: 1m, until: 2m}`",
        DISTURBANCE_KEYS,
        _build,
        _check,
        {
            "oneOf": [{"required": [key.name]} for key in _KINDS],
            "not": {"required": [DROPPED.name, SERIES.name]},
        },
        synonyms=dict.fromkeys(("lost", "loss", "gap", "missed"), "missing")
        | dict.fromkeys(("stale", "stuck", "freeze", "hang"), "frozen")
        | dict.fromkeys(("delay", "delayed", "lag", "behind"), "late")
        | dict.fromkeys(("drop", "without", "hidden", "absent"), "dropped")
        | {"start": "from", "since": "from", "to": "until", "end": "until", "names": "series"},
        strangers={"for": "`for` is for phases: write `until`, which counts from the start of running like `from`"},
    ),
    "a list of disturbances",
    20,
)
