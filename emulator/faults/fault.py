"""A fault as a value: which requests it meets, when, how often, and what it does to their answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from emulator.faults.answers import Answer
from emulator.faults.effect import REFUSALS, STREAM_OPERATIONS, Effect, concerns
from emulator.faults.latency import Latency
from emulator.statuses import RunStatus

MAX_BODY_BYTES = 64 * 1024
"""The largest body that a fault answers with."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as faults see it: `paths` are its own, percent-encoded, and its operation's in the contract.

    `has_token` says whether it came with a token, `run_status` is that of the run that it is about, None without one.
    """

    operation_id: str
    paths: tuple[str, ...]
    has_token: bool = True
    run_status: RunStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    It meets requests of an operation or a path (shell-style patterns; None: any), or `streams` alone, about a run in
    `run_status` if one is named. Of those that it meets in [`from_ms`, `until_ms`), counted from when the fault came to
    be, it spares the first `skip`, hits the rest with `probability` (0-1), and stops after `times` hits.

    `answer` belongs to the effects that answer; `handled` says that the operation is done all the same. The others
    are parameters of single effects: `after_bytes` (None: half of the body), `after_events`, `over_ms`, and `share`
    (0-1) of the lines or events. `given` is the fault as it was asked for.
    """

    effect: Effect
    answer: Answer | None = None
    operation: str | None = None
    path: str | None = None
    streams: bool = False
    run_status: RunStatus | None = None
    times: int | None = None
    skip: int = 0
    probability: float = 1.0
    seed: int | None = None
    from_ms: int = 0
    until_ms: int | None = None
    latency: Latency | None = None
    handled: bool = False
    after_bytes: int | None = None
    after_events: int = 1
    over_ms: int = 5_000
    share: float = 1.0
    given: object = field(default=None, compare=False, repr=False)

    def meets(self, asked: Asked) -> bool:
        """Whether a request is one of those that this fault is for, whatever the time."""
        if self.streams and asked.operation_id not in STREAM_OPERATIONS:
            return False
        if self.operation is not None and not fnmatchcase(asked.operation_id, self.operation):
            return False
        if self.path is not None and not any(fnmatchcase(path, self.path) for path in asked.paths):
            return False
        if self.run_status is not None and self.run_status is not asked.run_status:
            return False
        if self.effect is Effect.EXPIRED_TOKEN and not asked.has_token:
            return False
        return concerns(self.effect, asked.operation_id)

    @property
    def refuses(self) -> bool:
        """Whether the operation is not done."""
        return self.effect in REFUSALS and not self.handled
