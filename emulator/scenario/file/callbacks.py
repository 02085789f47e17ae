"""The `callbacks` of a scenario file: how often and how late a run's callback URLs are called, or that they are not."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.documents import Node, ScalarNode
from emulator.documents.syntax import cut
from emulator.scenario.file.durations import DurationOrRange
from emulator.scenario.file.grammar import Findings, Form, Schema, nearest, shown
from emulator.scenario.file.records import ByShape, Key, Record, Values
from emulator.scenario.file.scalars import Integer
from emulator.scenario.model import CallbackPlan
from emulator.scenario.ranges import DurationRange

NONE = "none"
MAX_TIMES = 10
_MEANT = ("off", "no", "false", "never", "0", "null", "~")

TIMES: Key[int] = Key(
    "times",
    Integer(1, MAX_TIMES),
    "How often each URL is called, as deliveries may repeat; 1 if left out.",
    2,
)
DELAY: Key[DurationRange] = Key(
    "delay",
    DurationOrRange(),
    "How long after the run's end; 0s if left out. With a range, each time has a delay of its own.",
    "3s",
)


@dataclass(frozen=True)
class _Never(Form[CallbackPlan]):
    """The word for no callbacks at all."""

    words: str = f"`{NONE}`, or how to call such as `{{times: 2, delay: 3s}}`"

    def read(self, node: Node, path: str, findings: Findings) -> CallbackPlan:
        word = node.text if isinstance(node, ScalarNode) else ""
        if word == NONE:
            return CallbackPlan(times=0)
        if nearest(word, (NONE,), dict.fromkeys(_MEANT, NONE)) is not None:
            raise findings.refused(node, path, f"there is no `{cut(word)}` here: did you mean `{NONE}`?")
        raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")

    def schema(self) -> Schema:
        return {"const": NONE}


def _build(values: Values, findings: Findings) -> CallbackPlan:
    return CallbackPlan(values.get(TIMES, 1), values.get(DELAY, DurationRange(0, 0)))


CALLBACKS: ByShape[CallbackPlan] = ByShape(
    _Never.words,
    scalar=_Never(),
    mapping=Record(
        _Never.words,
        (TIMES, DELAY),
        _build,
        synonyms=dict.fromkeys(("count", "repeat", "copies", "duplicates"), "times")
        | dict.fromkeys(("after", "wait", "late"), "delay"),
    ),
)
