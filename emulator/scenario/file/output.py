"""The `output` of a scenario file: texts with their times, once or again and again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from emulator.documents import Node, ScalarNode
from emulator.scenario.file.durations import Duration
from emulator.scenario.file.grammar import Findings, Form, Schema, shown
from emulator.scenario.file.records import ByShape, Key, ListOf, Located, Record, Table, Values
from emulator.scenario.file.scalars import Choice, Number, Text, is_long
from emulator.scenario.file.templates import COUNTER, read_template
from emulator.scenario.file.timeline import Timeline
from emulator.scenario.output import MAX_OUTPUT_LINES, FieldSpec, OutputEntry, OutputStream, Placeholder
from emulator.scenario.ranges import NumberRange, Ramp
from emulator.times import format_duration

MAX_BYTES = 64 * 1024 * 1024
"""What all of `output` may come to, written out."""

_RANGE = re.compile(r"(-?\d{1,15}(?:\.\d{1,15})?)\.\.(-?\d{1,15}(?:\.\d{1,15})?)", re.ASCII)
_LIKE_A_RANGE = re.compile(r"\s*([\d.]{0,15}\d)\s*(?:-|–|…|to|\.{2,3})\s*(\d[\d.]{0,15})\s*", re.ASCII)
_FIELD_WORDS = "a number, a range such as `2..9`, a ramp such as `{from: 2.4, to: 0.9}`, or a text"


@dataclass(frozen=True)
class _Constant(Form[FieldSpec]):
    """A number, a text, or a text that says a range of numbers."""

    words: str = _FIELD_WORDS

    def read(self, node: Node, path: str, findings: Findings) -> FieldSpec:
        value = node.value if isinstance(node, ScalarNode) else None
        if value is None or isinstance(value, bool):
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")
        if not isinstance(value, str) or is_long(node):
            return Number(self.words).read(node, path, findings)
        match = _RANGE.fullmatch(value)
        if match is None:
            return value
        whole = "." not in match[1] + match[2]
        low, high = (int(part) if whole else float(part) for part in match.groups())
        if low > high:
            message = f"the range `{value}` runs backwards: write `{match[2]}..{match[1]}`, or a ramp"
            raise findings.refused(node, path, message, beyond_schema=True)
        return NumberRange(low, high)

    def schema(self) -> Schema:
        return {"type": ["number", "string"]}


_RAMP_FROM: Key[float] = Key("from", Number(), "The value at the entry's first line.", 2.4, required=True)
_RAMP_TO: Key[float] = Key("to", Number(), "The value at `until`, or at the end.", 0.9, required=True)
_RAMP: Record[FieldSpec] = Record(
    "a ramp such as `{from: 2.4, to: 0.9}`",
    (_RAMP_FROM, _RAMP_TO),
    lambda values, _: Ramp(values[_RAMP_FROM], values[_RAMP_TO]),
)

AT: Key[int] = Key("at", Duration(), "When the text is written, once: time since the start of running.", "4s")
EVERY: Key[int] = Key("every", Duration(), "How often the text is written again.", "2s")
FROM: Key[int] = Key("from", Duration(), "With `every`: when it is written first; 0s if left out.", "20s")
UNTIL: Key[int] = Key("until", Duration(), "With `every`: when it ends, before the end of running.", "3m")
STREAM: Key[str] = Key(
    "stream",
    Choice([each.value for each in OutputStream], {"out": "stdout", "err": "stderr", "error": "stderr"}),
    "Where the text goes: `stdout` if left out.",
    "stderr",
)
TEXT: Key[str] = Key(
    "text",
    Text("a text", min_length=1),
    "What is written, its line end included. `{n}` counts the lines of this entry from 1; other placeholders"
    " are named in `fields` (`{loss:.4f}`); `{{` and `}}` are braces.",
    "step {n} loss {loss:.4f}\n",
    required=True,
)
FIELDS = Key(
    "fields",
    Table(
        Text("a name of letters, digits and `_`", r"[A-Za-z_][A-Za-z0-9_]*"),
        ByShape(_FIELD_WORDS, _Constant(), _RAMP),
        "a mapping from names to values",
        max_entries=100,
    ),
    "What the placeholders of `text` stand for: a number, a text, a range that each line draws from, or"
    " a ramp over the entry's time (`{from: 2.4, to: 0.9}`).",
    {"loss": {"from": 2.4, "to": 0.9}},
)


def _check(values: Values, findings: Findings) -> None:
    """At one time, or again and again: not both, and not neither."""
    if AT in values and EVERY in values:
        message = "`at` writes once and `every` again and again: write `from` instead of `at`"
        findings.note(values.entry(AT), values.path, message)
    elif not values.tried(AT) and not values.tried(EVERY):
        hint = "write `at` instead of `from`, or add `every: 2s`" if FROM in values else "add `at: 0s`"
        findings.note(values.node, values.path, f"nothing says when this is written: {hint}")
    for key in (FROM, UNTIL):
        if key in values and values.tried(AT) and not values.tried(EVERY):
            message = f"`{key.name}` goes with `every`, and this entry is written once, at its `at`"
            findings.note(values.entry(key), values.path, message)
    if values.get(EVERY, 1) == 0:
        message = "must be longer than `0s`"
        findings.note(values.entry(EVERY).value, f"{values.path}.every", message, beyond_schema=True)
    if EVERY in values and values.get(UNTIL, values.get(FROM, 0)) < values.get(FROM, 0):
        message = "`until` comes before `from`"
        findings.note(values.entry(UNTIL).value, f"{values.path}.until", message, beyond_schema=True)
    _check_fields(values, findings)


def _check_fields(values: Values, findings: Findings) -> None:
    fields = values.readable(FIELDS, {})
    if COUNTER in fields:
        message = f"`{COUNTER}` is the number of the line already: choose another name"
        findings.note(fields[COUNTER].node, fields[COUNTER].path, message, beyond_schema=True)
    if TEXT not in values:
        return
    node, path = values.entry(TEXT).value, f"{values.path}.text"
    names = None if FIELDS.name in values.unread else fields
    for piece in read_template(values[TEXT], names, node, path, findings):
        if not isinstance(piece, Placeholder) or not piece.spec or piece.name not in fields:
            continue
        if isinstance(fields[piece.name].value, str):
            message = f"`{{{piece.name}:{piece.spec}}}` formats a number, and `{piece.name}` is a text"
            meant = _LIKE_A_RANGE.fullmatch(str(fields[piece.name].value))
            message += f": write `{meant[1]}..{meant[2]}` for a range" if meant else ""
            findings.note(node, path, message, beyond_schema=True)


def _build(values: Values, findings: Findings) -> OutputEntry:
    fields = {name: located.value for name, located in values.get(FIELDS, {}).items()}
    text = read_template(values[TEXT], fields, values.entry(TEXT).value, values.path, findings)
    return OutputEntry(
        text=text,
        stream=OutputStream(values.get(STREAM, OutputStream.STDOUT)),
        from_ms=values.get(AT, values.get(FROM, 0)),
        every_ms=values.get(EVERY, None),
        until_ms=values.get(UNTIL, None),
        fields=MappingProxyType(fields),
    )


def _salvage(values: Values) -> OutputEntry | None:
    """When it is written, and how often at least: once, if not all of its times could be read."""
    if values.failed & {AT.name, FROM.name}:
        return None
    once = bool(values.failed & {EVERY.name, UNTIL.name}) or values.get(EVERY, 0) == 0
    return OutputEntry(
        text=(values.get(TEXT, ""),),
        from_ms=values.get(AT, values.get(FROM, 0)),
        every_ms=None if once else values[EVERY],
        until_ms=values.get(UNTIL, None),
    )


OUTPUT: ListOf[OutputEntry] = ListOf(
    Record(
        'a mapping with a text and its time, such as `{at: 0s, text: "hello\\n"}`',
        (AT, EVERY, FROM, UNTIL, STREAM, TEXT, FIELDS),
        _build,
        _check,
        {
            "oneOf": [{"required": ["at"]}, {"required": ["every"]}],
            "dependentRequired": {"from": ["every"], "until": ["every"]},
        },
        dict.fromkeys(("line", "message", "content", "print"), "text")
        | dict.fromkeys(("time", "after", "when"), "at")
        | dict.fromkeys(("interval", "repeat"), "every")
        | dict.fromkeys(("to", "end"), "until")
        | {"start": "from", "values": "fields"},
        salvage=_salvage,
    ),
    "a list of texts with their times",
)


def check_output(
    output: tuple[Located[OutputEntry], ...], timeline: Timeline, findings: Findings, *, may_be_cut: bool = False
) -> None:
    """What is wrong between the texts and the timeline: never written (unless that `may_be`), or too much."""
    running = timeline.running
    if running is None:
        if output and not may_be_cut:
            message = "the run ends before `running`, so none of this is written"
            findings.note(output[0].node, output[0].path, message, beyond_schema=True)
        return
    end_ms = None if running.duration is None else running.duration.high_ms
    lines = size = 0
    for located in output:
        entry = located.value
        if end_ms is not None and entry.from_ms > end_ms:
            if not may_be_cut:
                ends, starts = format_duration(end_ms), format_duration(entry.from_ms)
                message = f"never written: running ends after {ends}, and this starts at {starts}"
                findings.note(located.node, located.path, message, beyond_schema=True)
            continue
        within = lines <= MAX_OUTPUT_LINES and size <= MAX_BYTES
        times = _times(entry, end_ms)
        texts = [piece if isinstance(piece, str) else "0" * 20 for piece in entry.text]
        lines += times * max(1, sum(text.count("\n") for text in texts))
        size += times * sum(len(text) for text in texts)
        if within and (lines > MAX_OUTPUT_LINES or size > MAX_BYTES):
            much = f"{lines} lines" if lines > MAX_OUTPUT_LINES else f"{size >> 20} MiB"
            most = f"{MAX_OUTPUT_LINES} lines and {MAX_BYTES >> 20} MiB"
            message = f"up to here `output` comes to {much}, written out, and the most is {most}"
            findings.note(located.node, located.path, message, beyond_schema=True)


def _times(entry: OutputEntry, end_ms: int | None) -> int:
    if entry.every_ms is None:
        return 1
    ends = [each for each in (entry.until_ms, end_ms) if each is not None]
    # Without an end, output is cut while the run lasts; that is the script's business.
    return (min(ends) - entry.from_ms) // entry.every_ms + 1 if ends else 1
