"""From the state of an emulator to a snapshot's JSON."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from emulator import __version__
from emulator.clock import Clock
from emulator.faults.standing import Standing, Standings
from emulator.runs.command import Command
from emulator.runs.run import Run
from emulator.scenario.choice import Choice, Queue
from emulator.scenario.file.draft import digest_of
from emulator.scenario.matching import plain_match
from emulator.scenario.model import Scenario
from emulator.scenario.submission import Submission
from emulator.tenants.cloud import Cloud
from emulator.tenants.outbox import Notice, NoticeState
from emulator.tenants.tenant import Tenant
from emulator.texts import writable
from emulator.times import format_instant

VERSION = 1

Json = dict[str, Any]


class Snapshot(Struct, frozen=True):
    """The state at one instant, by and by written as JSON.

    Runs stand in the document as they are: they are values, so whatever happens meanwhile, what follows from them alone
    can be told when it is written. That is most of the work, and may be done in another thread.
    """

    document: Json
    scenarios: _Scenarios

    def encoded(self, option: int | None = None) -> bytes:
        """The JSON, by an option of orjson's. Raises orjson.JSONEncodeError."""
        return orjson.dumps(self.document, default=self._written, option=option)

    def _written(self, value: object) -> Json:
        if isinstance(value, Run):
            return _run(value, self.scenarios) | {"fault_tallies": {}, "callbacks": {}}
        if isinstance(value, _Told):
            return _run(value.run, self.scenarios) | {"fault_tallies": value.tallies, "callbacks": value.settled}
        raise TypeError(f"a snapshot holds no {type(value).__name__}")


def snapshot_of(cloud: Cloud, tenants: Iterable[Tenant] | None = None) -> Snapshot:
    """The whole of `cloud`, or only some of its tenants.

    Scenarios that runs, queues or tenants need are in it once each, with the texts of the files that they are composed
    of, so that a file that is edited later changes nothing that was.
    """
    scenarios = _Scenarios()
    document: Json = {"version": VERSION, "emulator": __version__}
    if tenants is None:
        tenants = cloud.tenants.values()
        document["server"] = {
            "seed": cloud.seed,
            "clock": _clock(cloud.clock),
            "default_scenario": cloud.default_name,
            "added": [scenarios.reference(scenario) for scenario in cloud.library.added],
            "queue": _queue(cloud.queue, scenarios),
            "faults": _faults(cloud.faults),
        }
    document["tenants"] = {tenant.key: _tenant(tenant, scenarios) for tenant in tenants}
    document["scenarios"] = scenarios.texts
    return Snapshot(document, scenarios)


class _Scenarios:
    """The scenarios of a snapshot by the digest of their texts."""

    def __init__(self) -> None:
        self.texts: dict[str, list[Json]] = {}
        self._known: dict[int, str] = {}

    def reference(self, scenario: Scenario) -> str:
        """The digest of the whole scenario that `scenario`, perhaps one of its alternatives, belongs to."""
        digest = self._known.get(id(scenario.drafts))
        if digest is None:
            digest = self._known[id(scenario.drafts)] = digest_of(scenario.drafts)
            self.texts[digest] = [
                {"name": draft.name, "source": writable(draft.source), "text": draft.text} for draft in scenario.drafts
            ]
        return digest


def _tenant(tenant: Tenant, scenarios: _Scenarios) -> Json:
    runs = [run for run in reversed(list(tenant.newest_first())) if run.parent_id is None]
    # Left out where there are none, as nearly always: what is not in it can be read by earlier versions, too.
    deleted = [_caught(tenant, run, scenarios) for run in tenant.outbox.deleted()]
    return ({"deleted": deleted} if deleted else {}) | {
        "clock": {"follows": "server", "lead_ms": tenant.clock.lead_ms}
        if tenant.clock.follows
        else _clock(tenant.clock),
        "seed": tenant.seed,
        "submissions": tenant.submissions,
        "turns": dict(tenant.turns),
        "added": [scenarios.reference(scenario) for scenario in tenant.added],
        "queue": _queue(tenant.queue, scenarios),
        "faults": _faults(tenant.faults),
        "environment": {
            "count": tenant.environment.count,
            "variables": [
                {
                    "id": variable.id,
                    "name": variable.name,
                    "is_secret": variable.is_secret,
                    "created_at": format_instant(variable.created_ms),
                    "updated_at": format_instant(variable.updated_ms),
                }
                for variable in tenant.environment.variables()
            ],
        },
        "runs": [_caught(tenant, run, scenarios) for run in runs],
    }


def _clock(clock: Clock) -> Json:
    return {
        "mode": clock.mode,
        "speed": clock.speed,
        "step_ms": clock.step_ms,
        "now": format_instant(clock.now_ms()),
    }


def _queue(queue: Queue, scenarios: _Scenarios) -> list[Json]:
    return [
        {
            "scenario": scenarios.reference(entry.scenario),
            "times": entry.times,
            "match": None if entry.match is None else plain_match(entry.match),
        }
        for entry in queue.entries
    ]


def _faults(standings: Standings) -> Json:
    return {
        "count": standings.count,
        "in_force": [_standing(standing) for standing in standings],
    }


def _standing(standing: Standing) -> Json:
    return {
        "name": standing.name,
        "fault": standing.fault.given,
        "since": format_instant(standing.since_ms),
        "seed": standing.seed,
        "met": standing.tally.met,
        "hit": standing.tally.hit,
    }


class _Told(Struct, frozen=True):
    """A run, and what changes of itself: what its faults did, and what became of its callbacks."""

    run: Run
    tallies: Json
    settled: Json


def _caught(tenant: Tenant, run: Run, scenarios: _Scenarios) -> Run | _Told:
    """What is to be written of a run as it is now."""
    scenario = run.script.scenario
    scenarios.reference(scenario)  # so that all texts are known before anything is written
    if not (scenario.faults or run.submission.callback_urls or run.children):
        return run  # as nearly always
    tallies: Json = {
        each.execution_id: [[standing.tally.met, standing.tally.hit] for standing in tenant.faults_of(each)]
        for each in (run, *run.children)
        if each.script.scenario.faults and tenant.find(each.execution_id) is not None
    }
    notices = tenant.outbox.of(run)
    settled = {str(place): _notice(notice) for place, notice in enumerate(notices) if _is_settled(notice)}
    return _Told(run, tallies, settled)


def _run(run: Run, scenarios: _Scenarios) -> Json:
    """What a run is made of; all that it shows follows from that."""
    return {
        "execution_id": run.execution_id,
        "seed": run.seed,
        "scenario": scenarios.reference(run.script.scenario),
        "earlier": run.picked.turn.submission - 1 if run.picked.turn else 0,
        "chosen_by": _choice(run.chosen_by),
        "submitted_at": format_instant(run.submitted_ms),
        "submission": _submission(run.submission),
        "commands": [_command(command) for command in run.commands],
        "warnings": list(run.warnings),
        "children": {child.execution_id: [_command(command) for command in child.commands] for child in run.children},
    }


def _is_settled(notice: Notice) -> bool:
    """Whether nothing is owed any more. One that is being retried begins anew: receivers have to bear that."""
    return notice.state is not NoticeState.WAITING


def _notice(notice: Notice) -> Json:
    return {
        "state": notice.state,
        "detail": notice.detail,
        "attempts": [
            {
                "at": format_instant(attempt.at_ms),
                "seconds": attempt.seconds,
                "status_code": attempt.status_code,
                "error": attempt.error,
            }
            for attempt in notice.attempts
        ],
    }


def _choice(choice: Choice) -> Json:
    return {
        "rule": choice.rule,
        "detail": choice.detail,
        "near_misses": [
            {
                "scenario": miss.name,
                "differences": [
                    {"condition": each.condition, "pattern": each.pattern, "found": each.found}
                    for each in miss.differences
                ],
            }
            for miss in choice.near_misses
        ],
    }


def _command(command: Command) -> Json:
    return {
        "order": command.order,
        "at": format_instant(command.at_ms),
        "to": command.to,
        "detail": command.detail,
    }


def _submission(submission: Submission) -> Json:
    """The fields that are not as they are by default."""
    written: Json = {}
    for name, default in _defaults():
        value = getattr(submission, name)
        if value != default and value not in ((), {}):
            written[name] = list(value) if isinstance(value, tuple) else value
    if submission.metadata:
        written["metadata"] = dict(submission.metadata)
    return written


@cache
def _defaults() -> tuple[tuple[str, Any], ...]:
    """The fields of a submission with what they are by default. Once: to be told of a type takes half a millisecond."""
    return tuple((each.name, None if each.default is NODEFAULT else each.default) for each in fields(Submission))
