"""What a metric phase may set: quantities with their units, constant, drawn from a range, or ramped."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.documents import Node, ScalarNode
from emulator.documents.syntax import cut
from emulator.scenario.file.grammar import Findings, Form, Schema, shown
from emulator.scenario.file.records import Key, Record, Values
from emulator.scenario.metrics import Override, Unit
from emulator.scenario.ranges import NumberRange, Ramp

_PERCENT = r"(?:100(?:\.0{1,6})?|[0-9]{1,2}(?:\.[0-9]{1,6})?)%"
_NUMBER = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
_WATT = rf"{_NUMBER}W"
_RATE = rf"{_NUMBER}(?:B|kB|MB|GB|KiB|MiB|GiB)/s"
_RATE_FACTORS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True)
class Reading:
    """A number in its unit: percent (0-100), watts, or bytes per second."""

    value: float
    unit: Unit


@dataclass(frozen=True)
class Measure(Form[Reading]):
    """One number with its unit; `pattern` is what the schema says, `most` how many percent there may be."""

    words: str
    pattern: str
    units: tuple[str, ...]
    most: int = 100

    def read(self, node: Node, path: str, findings: Findings) -> Reading:
        text = node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else None
        if text is None or re.fullmatch(self.pattern, text) is None:
            raise findings.refused(node, path, self._explained(node))
        return _measured(text)

    def _explained(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            return f"expected {self.words}, found {shown(node)}"
        bare = node.text.strip().replace(" ", "")
        if re.fullmatch(_NUMBER, bare):
            lacks = "needs a percent sign" if self.units == ("%",) else "has no unit"
            fitting = [unit for unit in self.units if unit != "%" or len(self.units) == 1 or float(bare) <= self.most]
            forms = " or ".join(f"`{bare}{unit}`" for unit in fitting)
            if self.units == ("%",) and 0 < float(bare) < 1:
                return f"`{bare}` {lacks}: write `{float(bare) * 100:g}%`, or {forms} if so little is meant"
            if self.units == ("%",) and float(bare) > self.most:
                return f"expected {self.words}, found `{bare}`, which is more than {self.most}%"
            return f"`{bare}` {lacks}: write {forms}"
        if re.fullmatch(rf"{_NUMBER}%", bare) and "%" in self.units and float(bare[:-1]) > self.most:
            return f"expected {self.words}, found `{bare}`, which is more than {self.most}%"
        for unit in self.units:
            found = re.fullmatch(rf"({_NUMBER})([A-Za-z/%]+)", bare)
            if found and found[2].lower() in _LOOSE_UNITS.get(unit, ()):
                return f"`{cut(node.text.strip())}` is not how it is written: write `{found[1]}{unit}`"
        return f"expected {self.words}, found {shown(node)}"

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


_LOOSE_UNITS = {
    "%": ("%", "percent", "pct"),
    "W": ("w", "watt", "watts"),
    "MB/s": ("mb/s", "mbps", "mb", "m", "mb/sec"),
    "GB/s": ("gb/s", "gbps", "gb", "g", "gb/sec"),
}


def _measured(text: str) -> Reading:
    if text.endswith("%"):
        return Reading(float(text[:-1]), Unit.PERCENT)
    if text.endswith("W"):
        return Reading(float(text[:-1]), Unit.WATT)
    number = re.match(_NUMBER, text)
    digits = number[0] if number else "0"
    factor = _RATE_FACTORS[text.removeprefix(digits).removesuffix("/s")]
    return Reading(float(digits) * factor, Unit.BYTES_PER_SECOND)


@dataclass(frozen=True)
class OneOrRange(Form[Override]):
    """`55%` or `60%..80%`, in the units that this quantity has."""

    one: Measure

    @property
    def words(self) -> str:  # type: ignore[override]  # computed, where other forms store it
        return f"{self.one.words}, or a range `a..b`"

    def read(self, node: Node, path: str, findings: Findings) -> Override:
        first, dots, second = node.text.partition("..") if isinstance(node, ScalarNode) else ("", "", "")
        if not dots:
            reading = self.one.read(node, path, findings)
            return Override(reading.value, reading.unit)
        low, high = (
            self.one.read(ScalarNode(part, part, node.line, node.column), path, findings) for part in (first, second)
        )
        _check_units(node, path, findings, low, high)
        if low.value > high.value:
            message = f"the range `{first}..{second}` runs backwards: write `{second}..{first}`"
            raise findings.refused(node, path, message, beyond_schema=True)
        return Override(NumberRange(low.value, high.value), low.unit)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^(?:{self.one.pattern})(?:\\.\\.(?:{self.one.pattern}))?$"}


@dataclass(frozen=True)
class QuantityOverride(Form[Override]):
    """`55%`, `60%..80%` or `{from: 55%, to: 100%}`, in the units that this quantity has."""

    one: Measure

    @property
    def words(self) -> str:  # type: ignore[override]  # computed, where other forms store it
        return f"{self.one.words}, a range `a..b`, or a ramp `{{from: a, to: b}}`"

    def read(self, node: Node, path: str, findings: Findings) -> Override:
        if isinstance(node, ScalarNode):
            return OneOrRange(self.one).read(node, path, findings)
        start, end = _ramp_ends(self.one, self.words).read(node, path, findings)
        _check_units(node, path, findings, start, end)
        return Override(Ramp(start.value, end.value), start.unit)

    def schema(self) -> Schema:
        return {"anyOf": [OneOrRange(self.one).schema(), _ramp_ends(self.one, self.words).schema()]}


def _check_units(node: Node, path: str, findings: Findings, first: Reading, second: Reading) -> None:
    """Both ends of a range or a ramp count the same."""
    if first.unit is not second.unit:
        raise findings.refused(node, path, "both ends need the same unit", beyond_schema=True)


def _ramp_ends(one: Measure, words: str) -> Record[tuple[Reading, Reading]]:
    start: Key[Reading] = Key("from", one, "Where the ramp begins.", required=True)
    end: Key[Reading] = Key("to", one, "Where the ramp ends.", required=True)

    def build(values: Values, findings: Findings) -> tuple[Reading, Reading]:
        return values[start], values[end]

    return Record(words, (start, end), build)


PERCENT = Measure("a percentage such as `85%`", _PERCENT, ("%",))
FACTOR = Measure("a percentage such as `30%` or `140%`", r"[0-9]{1,3}(?:\.[0-9]{1,6})?%", ("%",), most=999)
POWER = Measure("a power such as `350W`, or a share of the limit such as `80%`", f"{_WATT}|{_PERCENT}", ("W", "%"))
BYTE_RATE = Measure("a rate such as `190MB/s` or `1.2GB/s`", _RATE, ("MB/s", "GB/s"))
