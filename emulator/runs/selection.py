"""A GPU selection: the words for where it stands, and what it found out, as functions of (parent, now).

What clients read is known from the official client (1.1.7); how the service comes to it is inferred throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from emulator.hardware.devices import Device
from emulator.hardware.profiles import find_profile
from emulator.runs.billing import billed_usd
from emulator.runs.lifecycle import End
from emulator.runs.parent import succeeded
from emulator.runs.run import Run
from emulator.runs.timing import moments
from emulator.scenario.model import Selection
from emulator.scenario.script import stretches_of
from emulator.statuses import RunStatus


class SelectionStatus(StrEnum):
    """Where a GPU selection stands. Source: the words that lyceum-cli 1.1.7 explains, in its order, and the four at
    which it stops asking."""

    QUEUED = "queued"
    INITIALIZING = "initializing"
    RUNNING = "running"
    EXTRACTING = "extracting"
    PROFILING = "profiling"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"
    SYSTEM_FAILURE = "system_failure"


_WAITING = {RunStatus.PENDING: SelectionStatus.QUEUED, RunStatus.STARTING: SelectionStatus.INITIALIZING}


def selection_status(parent: Run, now_ms: int) -> SelectionStatus:
    """The word for `parent` at `now_ms`. While it is running: what it is busy with.

    One that was cancelled counts as aborted, since clients know no word for it and would ask on.
    """
    status = parent.course.status_at(now_ms)
    if status in _WAITING:
        return _WAITING[status]
    if status is RunStatus.CANCELLED:
        return SelectionStatus.ABORTED
    if status.is_terminal:
        return SelectionStatus(status.value)
    running_ms = parent.course.started_ms(RunStatus.RUNNING) or 0
    stretches = stretches_of(parent.script)
    if now_ms < running_ms + stretches.analysis_ms or not parent.children:
        return SelectionStatus.RUNNING
    if now_ms < running_ms + stretches.analysis_ms + stretches.extraction_ms:
        return SelectionStatus.EXTRACTING
    over = all(child.course.ended_by(now_ms) for child in parent.children)
    return SelectionStatus.PROCESSING if over else SelectionStatus.PROFILING


def total_usd(parent: Run, now_ms: int) -> float:
    """What its children cost together, in US dollars."""
    return round(sum(billed_usd(child, now_ms) for child in parent.children), 6)


class ProfileStatus(StrEnum):
    """How a profile came out. Source: lyceum-cli 1.1.7 takes `success` for good and tells `failed` apart."""

    SUCCESS = "success"
    FAILED = "failed"
    ABORTED = "aborted"


ITERATIONS = 100
"""So many training iterations does a profile measure: its code's whole time is taken for them. Inferred."""


class Profiled(Struct, frozen=True):
    """What came of one profile: seconds of user code (None: none ran), and dollars for them at its price."""

    child: Run
    status: ProfileStatus
    seconds: float | None
    cost_usd: float | None

    @property
    def iterations_per_second(self) -> float | None:
        """None where it did not get through."""
        if self.status is not ProfileStatus.SUCCESS or not self.seconds:
            return None
        return round(ITERATIONS / self.seconds, 3)


def profiled(parent: Run, now_ms: int) -> list[Profiled]:
    """The profiles that are done by `now_ms`, in the order of the children."""
    return [_profiled(child, end) for child in parent.children if (end := child.course.ended_by(now_ms))]


def _profiled(child: Run, end: End) -> Profiled:
    at = moments(child, end.at_ms)
    seconds = None if at.started_ms is None else (end.at_ms - at.started_ms) / 1000
    profile = find_profile(child.hardware)
    cost_usd = None if seconds is None or profile is None else round(seconds * profile.price_per_second, 6)
    if succeeded(end):
        status = ProfileStatus.SUCCESS
    elif end.ending.status in (RunStatus.FAILED, RunStatus.SYSTEM_FAILURE):
        status = ProfileStatus.FAILED
    else:
        status = ProfileStatus.ABORTED
    return Profiled(child, status, seconds, cost_usd)


class Recommendation(Struct, frozen=True):
    """The profiles that did best: by the product of time and cost, by time, by cost."""

    best: str
    fastest: str
    cheapest: str


def recommendation(results: Sequence[Profiled]) -> Recommendation | None:
    """Which of the profiles that succeeded to take; of equals the first. None if none did."""
    good = [
        (result.seconds, result.cost_usd, result.child.hardware)
        for result in results
        if result.status is ProfileStatus.SUCCESS and result.seconds is not None and result.cost_usd is not None
    ]
    if not good:
        return None
    return Recommendation(
        best=min(good, key=lambda row: row[0] * row[1])[2],
        fastest=min(good, key=lambda row: row[0])[2],
        cheapest=min(good, key=lambda row: row[1])[2],
    )


class MemoryNeeds(Struct, frozen=True):
    """The memory that training the model takes, in GB. `parameters` are in billions."""

    parameters: float
    weights: float
    gradients: float
    optimizer_states: float
    activations: float

    @property
    def total(self) -> float:
        return self.weights + self.gradients + self.optimizer_states + self.activations


class Fit(Struct, frozen=True):
    """How few GPUs of a profile's kind hold the model, and how full each gets. The memory is per GPU."""

    profile: str
    memory_gb: int
    gpus: int
    used_percent: float


_GPU_COUNTS = (1, 2, 4, 8)


def memory_needs(parent: Run, now_ms: int) -> MemoryNeeds | None:
    """What extraction found out, once it is over; None before, or where it never took place.

    Mixed precision with Adam: 2 bytes a parameter for weights, 2 for gradients, 12 for the optimizer (a copy of the
    weights and two moments in 4 bytes each), as in the ZeRO paper; a quarter of all that for activations.
    """
    running_ms = parent.course.started_ms(RunStatus.RUNNING)
    if running_ms is None or not parent.children:
        return None
    stretches = stretches_of(parent.script)
    done_ms = running_ms + stretches.analysis_ms + stretches.extraction_ms
    end = parent.course.end
    if now_ms < done_ms or (end is not None and end.at_ms < done_ms):
        return None
    selection = parent.script.scenario.selection or Selection()
    parameters = selection.parameters
    return MemoryNeeds(parameters, *(round(gb * parameters, 6) for gb in (2, 2, 12, 4)))


def fits(parent: Run, needs: MemoryNeeds) -> list[Fit]:
    """The children's profiles on which up to eight GPUs hold the model, in their order."""
    return list(_fits(parent, needs))


def _fits(parent: Run, needs: MemoryNeeds) -> Iterator[Fit]:
    for child in parent.children:
        profile = find_profile(child.hardware)
        if profile is None or profile.device is None:
            continue
        each_gb = _usable_gb(profile.device)
        gpus = next((count for count in _GPU_COUNTS if needs.total <= count * each_gb), None)
        if gpus is not None:
            used_percent = round(100 * needs.total / (gpus * each_gb), 1)
            yield Fit(profile.name, round(profile.device.memory_mib / 1024), gpus, used_percent)


def _usable_gb(device: Device) -> float:
    return device.usable_mib / 1024
