"""What a test sees of runs and requests: the control API's answers, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from emulator.embedded.durations import Duration, duration_text, instant_text
from emulator.embedded.metrics import MetricSeries, series_of

if TYPE_CHECKING:
    from emulator.embedded.lyceum import Lyceum

__tracebackhide__ = True


@dataclass(frozen=True, slots=True)
class Transition:
    """A status, and since when."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A scenario that nearly matched, and the conditions that did not hold."""

    scenario: str
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChosenBy:
    """Why a run has its scenario: `rule` is `queue`, `name`, `match` or `default`, `detail` says it in words."""

    rule: str
    detail: str
    near_misses: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a script; `duration_s` is None if it lasts until somebody stops it."""

    status: str
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a script ends. `result` is any JSON value."""

    status: str
    return_code: int | None
    error: str | None
    result: Any


@dataclass(frozen=True, slots=True)
class Script:
    """What happens to a run unless somebody interferes; `ending` is None if it goes on until it is stopped."""

    stages: tuple[Stage, ...]
    ending: Ending | None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run at the moment it was asked for, with what is behind it. `json` is all that the control API tells."""

    execution_id: str
    kind: str
    status: str
    scenario: str
    chosen_by: ChosenBy
    seed: int
    hardware_profile: str
    submitted_at: datetime
    submission: Mapping[str, Any]
    script: Script
    transitions: tuple[Transition, ...]
    callbacks: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...]
    json: Mapping[str, Any] = field(repr=False)
    _owner: Lyceum = field(repr=False, compare=False)

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses reached so far, in their order."""
        return tuple(each.status for each in self.transitions)

    def metrics(
        self, *, step: Duration = "15s", start: datetime | str | None = None, end: datetime | str | None = None
    ) -> dict[str, MetricSeries]:
        """The run's series as arrays, by the service's names: `metrics(step="1s")["gpuPowerWatt"].values`.

        Without `start` and `end`: from the run's start to its end, or to now. No clock is stepped, and the
        journal does not tell of it. Raises ControlRefused for an impossible window.
        """
        window = {
            "step": duration_text(step),
            "start": None if start is None else instant_text(start),
            "end": None if end is None else instant_text(end),
        }
        return series_of(self._owner.control("GET", f"/runs/{self.execution_id}/metrics", params=window))


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request to the emulated API and what became of it, without its secrets.

    `at` is the time on the tenant's clock, `received_at` the wall's. `violations` say where it broke the contract,
    `warnings` where it went beyond it, `fault` what was done to the answer on purpose.
    """

    number: int
    method: str
    path: str
    operation_id: str | None
    execution_id: str | None
    query: Mapping[str, list[str]]
    body: Any
    status_code: int
    detail: str | None
    duration_ms: float
    at: datetime | None
    received_at: datetime
    violations: tuple[str, ...]
    warnings: tuple[str, ...]
    fault: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.operation_id or 'no operation'}) -> {self.status_code}"


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a request broke the contract."""

    request: RequestView
    message: str

    def __str__(self) -> str:
        return f"{self.request}: {self.message}"


def run_view(owner: Lyceum, seen: Mapping[str, Any]) -> RunView:
    chosen, script = seen["chosen_by"], seen["script"]
    return RunView(
        seen["execution_id"],
        seen["kind"],
        seen["status"],
        seen["scenario"],
        ChosenBy(
            chosen["rule"],
            chosen["detail"],
            tuple(NearMiss(miss["scenario"], tuple(miss["failed"])) for miss in chosen["near_misses"]),
        ),
        seen["seed"],
        seen["hardware_profile"],
        datetime.fromisoformat(seen["submitted_at"]),
        seen["submission"],
        Script(
            tuple(Stage(stage["status"], stage["duration_s"]) for stage in script["stages"]),
            script["ending"] and Ending(**script["ending"]),
        ),
        tuple(Transition(each["status"], datetime.fromisoformat(each["at"])) for each in seen["transitions"]),
        tuple(seen["callbacks"]),
        tuple(seen["warnings"]),
        seen,
        owner,
    )


def request_view(seen: Mapping[str, Any]) -> RequestView:
    return RequestView(
        seen["number"],
        seen["method"],
        seen["path"],
        seen["operation_id"],
        seen["execution_id"],
        seen["query"],
        seen["body"],
        seen["status_code"],
        seen["detail"],
        seen["duration_ms"],
        seen["at"] and datetime.fromisoformat(seen["at"]),
        datetime.fromisoformat(seen["received_at"]),
        tuple(seen["violations"]),
        tuple(seen["warnings"]),
        seen["fault"],
    )
