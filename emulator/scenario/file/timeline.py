"""The `timeline` of a scenario file: one status per entry, in the order in which runs pass them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator.documents import Entry, MappingNode, Node, ScalarNode
from emulator.documents.syntax import cut
from emulator.scenario.file.durations import StageLength
from emulator.scenario.file.endings import EndingForm
from emulator.scenario.file.grammar import Findings, Form, Schema, Unread, listed, nearest, shown
from emulator.scenario.file.records import ListOf, Located
from emulator.scenario.ranges import DurationRange
from emulator.scenario.timeline import Ending, StageSpec
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

_STATUSES = frozenset(status.value for status in RunStatus)
_BEFORE_RUNNING = (RunStatus.PENDING, RunStatus.STARTING)
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
            for entry in node.entries:
                if entry.key in _STATUSES and shown(entry.value) != "nothing":
                    self._given(RunStatus(entry.key), entry, path, findings)
            second = node.entries[1]
            message = f"one status per entry: start `{cut(second.key)}` with `- ` on a line of its own"
            raise findings.refused(second, path, _misplaced(node.entries) or message)
        entry = node.entries[0]
        return self._given(self._status(entry.key, entry, path, findings), entry, path, findings)

    def _given(self, status: RunStatus, entry: Entry, path: str, findings: Findings) -> _Step:
        """`status` with what stands behind it."""
        form, at = _FORMS[status], f"{path}.{entry.key}"
        try:
            if isinstance(form, EndingForm):
                return _Step(status, ending=form.read(entry.value, at, findings))
            return _Step(status, form.read(entry.value, at, findings))
        except Unread:
            return _Step(status, ending=form.bare() if isinstance(form, EndingForm) else None, sound=False)

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


def _misplaced(entries: tuple[Entry, ...]) -> str | None:
    """What to do about keys beside a status that belong into its mapping."""
    status, beside = entries[0], entries[1:]
    form = _FORMS[RunStatus(status.key)] if status.key in _STATUSES else None
    if not isinstance(form, EndingForm) or not all(form.has(entry.key) for entry in beside):
        return None
    names, belong = listed([cut(entry.key) for entry in beside], "and"), "belong" if len(beside) > 1 else "belongs"
    of_status, them = f"{names} {belong} to `{status.key}`", "them" if len(beside) > 1 else "it"
    below, has_mapping = beside[0].line > status.line, isinstance(status.value, MappingNode)
    if below and (shown(status.value) == "nothing" or (has_mapping and status.value.line > status.line)):
        return f"{of_status}: indent {them} by two more"
    if has_mapping:
        return f"{of_status}: put {them} into its braces"
    return f"{of_status}: write `{status.key}: {{{', '.join(f'{cut(entry.key)}: …' for entry in beside)}}}`"


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
        in_order = complete and len(findings.found) == before
        if complete:
            self._check_end(steps, findings)
        if not complete or len(findings.found) > before or not all(step.value.sound for step in steps):
            raise Unread(_salvaged([step.value for step in steps], in_order))
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

    def _check_end(self, steps: tuple[Located[_Step], ...], findings: Findings) -> None:
        if all(step.value.status in _BEFORE_RUNNING and step.value.length is not None for step in steps):
            last, status = steps[-1], steps[-1].value.status
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


def _salvaged(steps: list[_Step], in_order: bool) -> Timeline | None:
    """What is known of running, though other steps could not be read or are not `in_order`."""
    running = [step for step in steps if step.status is RunStatus.RUNNING]
    if len(running) == 1 and running[0].sound:
        return Timeline((StageSpec(RunStatus.RUNNING, running[0].length),), None)
    return _timeline(steps) if not running and in_order and steps[-1].status.is_terminal else None


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
