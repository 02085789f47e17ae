"""The `timeline` of a scenario file: one status per entry, in the order in which runs pass them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator.documents import Entry, MappingNode, Node, ScalarNode
from emulator.documents.syntax import cut
from emulator.scenario.file.durations import StageLength
from emulator.scenario.file.grammar import Findings, Form, Schema, Unread, listed, nearest, shown
from emulator.scenario.file.records import Key, ListOf, Located, Record, Values
from emulator.scenario.file.scalars import AnyJson, Integer, Text
from emulator.scenario.model import DurationRange, Ending, Json, StageSpec
from emulator.statuses import ACTIVE, FOLLOWERS, TERMINAL, RunStatus

STATUS_SYNONYMS = {
    "queued": "pending",
    "waiting": "pending",
    "provisioning": "starting",
    "in_progress": "running",
    "succeeded": "completed",
    "success": "completed",
    "finished": "completed",
    "done": "completed",
    "error": "failed",
    "crashed": "failed",
    "failed_user": "failed",
    "timeout": "failed",
    "failed_system": "system_failure",
    "canceled": "cancelled",
    "stopped": "cancelled",
    "killed": "aborted",
}

RETURN_CODES = {RunStatus.COMPLETED: 0, RunStatus.CANCELLED: 143, RunStatus.ABORTED: 137}
"""The endings that always have the same one."""

_STATUSES = frozenset(status.value for status in RunStatus)
_INSTANT = DurationRange(0, 0)
_WORDS = "one status with its duration, such as `running: 3s`"


@dataclass(frozen=True)
class Timeline:
    """The stages from pending on, without gaps, and how the run ends by itself (None: it does not)."""

    stages: tuple[StageSpec, ...]
    ending: Ending | None

    @property
    def running(self) -> StageSpec | None:
        last = self.stages[-1]
        return last if last.status is RunStatus.RUNNING else None


@dataclass(frozen=True)
class _Step:
    """One entry; `sound` is False where only its status could be read."""

    status: RunStatus
    length: DurationRange | None = _INSTANT
    ending: Ending | None = None
    sound: bool = True


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

    def _record(self) -> Record[Ending]:
        synonyms = dict.fromkeys(("exit_code", "code", "returncode", "status"), "return_code")
        synonyms |= dict.fromkeys(("message", "reason", "detail", "cause"), "error")
        return Record(self.words, self._keys(), self._build, synonyms=synonyms)

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


_DOCS = {
    RunStatus.PENDING: "Queued: waiting for a machine.",
    RunStatus.STARTING: "A machine is assigned: image pull, environment, dependencies.",
    RunStatus.RUNNING: "The user's code runs; output and metrics count from here.",
    RunStatus.COMPLETED: "The code ended with 0.",
    RunStatus.FAILED: "The code ended with another code than 0.",
    RunStatus.SYSTEM_FAILURE: "The infrastructure failed; there is no return code.",
    RunStatus.CANCELLED: "The run was cancelled.",
    RunStatus.ABORTED: "The run was killed.",
}
_FORMS: Mapping[RunStatus, Form[DurationRange | None] | EndingForm] = {
    status: StageLength() if status in ACTIVE else EndingForm(status) for status in RunStatus
}


@dataclass(frozen=True)
class _StepForm(Form[_Step]):
    words: str = _WORDS

    def read(self, node: Node, path: str, findings: Findings) -> _Step:
        if isinstance(node, ScalarNode):
            return self._bare(node, path, findings)
        if not isinstance(node, MappingNode) or not node.entries:
            raise findings.refused(node, path, f"expected {self.words}, found {shown(node)}")
        if len(node.entries) > 1:
            second = node.entries[1]
            message = f"one status per entry: start `{cut(second.key)}` with `- ` on a line of its own"
            raise findings.refused(second, path, message)
        entry = node.entries[0]
        status = self._status(entry.key, entry, path, findings)
        form, at = _FORMS[status], f"{path}.{entry.key}"
        try:
            if isinstance(form, EndingForm):
                return _Step(status, ending=form.read(entry.value, at, findings))
            return _Step(status, form.read(entry.value, at, findings))
        except Unread:
            return _Step(status, sound=False)

    def _bare(self, node: ScalarNode, path: str, findings: Findings) -> _Step:
        word, colon, rest = node.text.partition(":")
        first, _, length = node.text.partition(" ")
        if first in _STATUSES and length:
            message = f"a colon is missing after `{first}`: write `{first}: {cut(length)}`"
            raise findings.refused(node, path, message)
        if colon and (word in _STATUSES or word in STATUS_SYNONYMS):
            message = f"a space is missing after the colon: write `{word}: {cut(rest.strip())}`"
            raise findings.refused(node, path, message)
        if not node.text.strip():
            raise findings.refused(node, path, f"expected {self.words}, found nothing")
        status = self._status(node.text, node, path, findings)
        form = _FORMS[status]
        if isinstance(form, EndingForm):
            return _Step(status, ending=form.bare())
        findings.note(node, path, f"`{status}` needs a duration: write `{status}: 4s`")
        return _Step(status, sound=False)

    def _status(self, word: str, place: Node | Entry, path: str, findings: Findings) -> RunStatus:
        if word in _STATUSES:
            return RunStatus(word)
        near = nearest(word, list(RunStatus), STATUS_SYNONYMS)
        hint = f"did you mean `{near}`?" if near else f"statuses are {listed(list(RunStatus))}"
        raise findings.refused(place, path, f"`{cut(word)}` is no status: {hint}")

    def schema(self) -> Schema:
        statuses = {status: {"description": _DOCS[status]} | _FORMS[status].schema() for status in RunStatus}
        entry = {"type": "object", "properties": statuses, "additionalProperties": False}
        return {"anyOf": [{"enum": list(TERMINAL)}, entry | {"minProperties": 1, "maxProperties": 1}]}


_STEPS: ListOf[_Step] = ListOf(_StepForm(), "a list of statuses, such as `- running: 3s`", min_items=1, max_items=100)


@dataclass(frozen=True)
class TimelineForm(Form[Timeline]):
    """The whole of `timeline`. Pending and starting may be left out, and then last no time."""

    words: str = _STEPS.words

    def read(self, node: Node, path: str, findings: Findings) -> Timeline:
        complete = True
        try:
            steps = _STEPS.read(node, path, findings)
        except Unread as unread:
            if not isinstance(unread.salvaged, tuple):
                raise
            steps, complete = unread.salvaged, False
        before = len(findings.found)
        self._check_order(steps, complete, findings)
        if complete and len(findings.found) == before:
            self._check_end(steps[-1], findings)
        if not complete or len(findings.found) > before or not all(step.value.sound for step in steps):
            raise Unread
        return _timeline([step.value for step in steps])

    def _check_order(self, steps: tuple[Located[_Step], ...], complete: bool, findings: Findings) -> None:
        last: RunStatus | None = None
        seen: set[RunStatus] = set()
        for number, located in enumerate(steps):
            step = located.value
            problem = _out_of_order(step.status, last, seen, complete)
            if problem is not None:
                findings.note(located.node, located.path, problem, beyond_schema=True)
                if last is not None and last.is_terminal:
                    return
            elif number and steps[number - 1].value.length is None:
                message = f"nothing comes after `{last}: until_stopped`, which lasts until somebody stops the run"
                findings.note(located.node, located.path, message, beyond_schema=True)
                return
            if problem is None:
                last = step.status
            seen.add(step.status)

    def _check_end(self, last: Located[_Step], findings: Findings) -> None:
        status, length = last.value.status, last.value.length
        if status in (RunStatus.PENDING, RunStatus.STARTING) and length is not None:
            message = f"the run would stay in `{status}`: add what comes next, or write `{status}: until_stopped`"
            findings.note(last.node, last.path, message, beyond_schema=True)

    def schema(self) -> Schema:
        return _STEPS.schema()


def _out_of_order(status: RunStatus, last: RunStatus | None, seen: set[RunStatus], complete: bool) -> str | None:
    """Why `status` cannot come after `last`, or None."""
    if last is not None and last.is_terminal:
        return f"nothing comes after `{last}`, which ends the run"
    if status in seen:
        return f"`{status}` is given twice"
    if not status.is_terminal:
        if last is not None and ACTIVE.index(status) < ACTIVE.index(last):
            return f"`{status}` comes before `{last}`: the order is pending, starting, running"
        return None
    if complete and not any(status in FOLLOWERS[stage] for stage in _reachable(last)):
        return f"`{status}` can only follow `running`: add `- running: 3s` before it"
    return None


def _reachable(last: RunStatus | None) -> tuple[RunStatus, ...]:
    """`last` and the stages after it that a file may leave out."""
    first = 0 if last is None else ACTIVE.index(last)
    return (
        *ACTIVE[first : first + 1],
        *(stage for stage in ACTIVE[first + 1 :] if stage is RunStatus.STARTING),
    )


def _timeline(steps: list[_Step]) -> Timeline:
    given = {step.status: step for step in steps}
    ending = steps[-1].ending
    last = max((ACTIVE.index(status) for status in given if not status.is_terminal), default=0)
    if ending is not None:
        while ending.status not in FOLLOWERS[ACTIVE[last]]:
            last += 1
    elif steps[-1].length is not None:
        ending = EndingForm(RunStatus.COMPLETED).bare()
    stages = tuple(
        StageSpec(status, given[status].length if status in given else _INSTANT) for status in ACTIVE[: last + 1]
    )
    return Timeline(stages, ending)
