"""The last entry of a `timeline`: how a run ends, and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.documents import Node, ScalarNode
from emulator.scenario.file.grammar import Findings, Form, Schema, shown
from emulator.scenario.file.records import Key, Record, Values
from emulator.scenario.file.scalars import AnyJson, Integer, Text
from emulator.scenario.json_value import Json
from emulator.scenario.timeline import Ending
from emulator.statuses import RunStatus

RETURN_CODES = {RunStatus.COMPLETED: 0, RunStatus.CANCELLED: 143, RunStatus.ABORTED: 137}
"""The endings that always have the same one."""


@dataclass(frozen=True)
class FixedCode(Form[int]):
    """A return code that goes with a status and no other."""

    status: RunStatus
    code: int

    @property
    def words(self) -> str:  # type: ignore[override]  # computed, where other forms store it
        return f"the return code {self.code}"

    def read(self, node: Node, path: str, findings: Findings) -> int:
        if isinstance(node, ScalarNode) and node.value == self.code and not isinstance(node.value, bool):
            return self.code
        hint = ": another one is `failed`" if self.status is RunStatus.COMPLETED else ""
        message = f"`{self.status}` always has return code {self.code}, found {shown(node)}{hint}"
        raise findings.refused(node, path, message)

    def schema(self) -> Schema:
        return {"const": self.code}


_ERROR_DOC = "The cause, as `status_details` shows it, and `errors` (failed) or `system_errors` (system_failure)."
_ERROR: Key[str] = Key("error", Text(), _ERROR_DOC, "CUDA out of memory.")
_RESULT: Key[Json] = Key("result", AnyJson(), "What the record's `result` holds at the end.", {"loss": 0.93})

_SYNONYMS = dict.fromkeys(("exit_code", "code", "returncode", "status"), "return_code") | dict.fromkeys(
    ("message", "reason", "detail", "cause"), "error"
)


def _return_code(status: RunStatus) -> Key[int]:
    if status in RETURN_CODES:
        code = RETURN_CODES[status]
        return Key("return_code", FixedCode(status, code), f"Always {code}; it may be left out.", code)
    doc = "The code that the process ends with; 1 if left out."
    return Key("return_code", Integer(1, 255, "a return code"), doc, 2)


@dataclass(frozen=True)
class EndingForm(Form[Ending]):
    """The mapping behind a terminal status."""

    status: RunStatus

    @property
    def words(self) -> str:  # type: ignore[override]  # computed, where other forms store it
        names = ", ".join(key.name for key in self._keys())
        return f"a mapping of {names}, or `- {self.status}` alone"

    def _keys(self) -> tuple[Key[str] | Key[Json] | Key[int], ...]:
        if self.status is RunStatus.SYSTEM_FAILURE:
            return (_ERROR,)
        code = _return_code(self.status)
        return (code, _RESULT) if self.status is RunStatus.COMPLETED else (code, _ERROR, _RESULT)

    def has(self, word: str) -> bool:
        """Whether `word` is one of the mapping's keys, or is tried in place of one."""
        names = {key.name for key in self._keys()}
        return word in names or _SYNONYMS.get(word) in names

    def _record(self) -> Record[Ending]:
        return Record(self.words, self._keys(), self._build, synonyms=_SYNONYMS)

    def _build(self, values: Values, findings: Findings) -> Ending:
        default = 1 if self.status is RunStatus.FAILED else RETURN_CODES.get(self.status)
        code = None if default is None else values.get(_return_code(self.status), default)
        return Ending(self.status, code, values.get(_ERROR, None), values.get(_RESULT, None))

    def read(self, node: Node, path: str, findings: Findings) -> Ending:
        if isinstance(node, ScalarNode):
            value, names = node.value, {key.name for key in self._keys()}
            hint = f": write `- {self.status}`" if value is None else ""
            if isinstance(value, int) and not isinstance(value, bool) and "return_code" in names:
                hint = f": write `{self.status}: {{return_code: {value}}}`"
            elif isinstance(value, str) and value and "error" in names:
                hint = f': write `{self.status}: {{error: "…"}}`'
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}{hint}")
        return self._record().read(node, path, findings)

    def schema(self) -> Schema:
        return self._record().schema()

    def bare(self) -> Ending:
        return Ending(self.status, 1 if self.status is RunStatus.FAILED else RETURN_CODES.get(self.status))
