"""The emulator's own view of runs, clocks and queues, as the control API writes them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import asdict

from emulator.clock import Clock
from emulator.control.notebooks import page_path
from emulator.faults.standing import Standing
from emulator.runs.callbacks import masked
from emulator.runs.failure import system_error, user_error
from emulator.runs.lifecycle import End
from emulator.runs.output import last_lines
from emulator.runs.run import Run
from emulator.scenario.choice import Queue
from emulator.scenario.matching import plain_match
from emulator.scenario.submission import Submission
from emulator.scenario.timeline import Ending
from emulator.tenants.outbox import Notice
from emulator.tenants.tenant import Tenant
from emulator.times import format_duration, format_instant

_LAST_LINES, _MAX_LINE = 5, 500
"""So many lines of a run's output are shown with it, and so much of each."""


def clock_view(clock: Clock) -> dict[str, Any]:
    return {
        "mode": clock.mode,
        "now": format_instant(clock.now_ms()),
        "speed": clock.speed,
        "step": format_duration(clock.step_ms),
        "follows": "server" if clock.follows else None,
    }


def queue_view(queue: Queue) -> dict[str, Any]:
    return {
        "queue": [
            {
                "scenario": entry.scenario.name,
                "times": entry.times,
                "match": entry.match and plain_match(entry.match),
            }
            for entry in queue.entries
        ]
    }


def run_view(tenant: Tenant, run: Run, now_ms: int) -> dict[str, Any]:
    """A run with what is behind it: its scenario and why, its script, its commands."""
    script, end = run.script, run.course.ended_by(now_ms)
    return {
        "execution_id": run.execution_id,
        "org": tenant.identity.slug,
        "kind": run.submission.kind,
        "status": run.course.status_at(now_ms),
        "scenario": script.scenario.name,
        "chosen_by": {
            "rule": run.chosen_by.rule,
            "detail": run.chosen_by.detail,
            "near_misses": [
                {"scenario": miss.name, "failed": [str(difference) for difference in miss.differences]}
                for miss in run.chosen_by.near_misses
            ],
        },
        "composition": composition_view(run),
        "parent_execution_id": run.parent_id,
        "speed": run.speed,
        "sub_jobs": [
            {
                "execution_id": child.execution_id,
                "hardware_profile": child.hardware,
                "speed": child.speed,
                "status": child.course.status_at(now_ms),
            }
            for child in run.children
        ],
        "seed": script.seed,
        "hardware_profile": run.hardware,
        "submitted_at": format_instant(run.submitted_ms),
        "submission": submission_view(run.submission),
        "script": {
            "stages": [
                {"status": status, "duration_s": None if duration_ms is None else duration_ms / 1000}
                for status, duration_ms in script.stages
            ],
            "ending": script.ending and ending_view(script.ending),
        },
        "commands": [
            {
                "command": command.order,
                "at": format_instant(command.at_ms),
                "to": command.to,
                "detail": command.detail,
            }
            for command in run.commands
        ],
        "transitions": [
            {"status": status, "at": format_instant(at_ms)} for status, at_ms in run.course.transitions(now_ms)
        ],
        "end": end and end_view(run, end),
        "last_output": [line[:_MAX_LINE] for line in last_lines(run, now_ms, _LAST_LINES)],
        "callbacks": [notice_view(notice) for notice in tenant.outbox.of(run)],
        "faults": [fault_view(standing) for standing in tenant.faults_of(run)],
        "notebook_page": page_path(run),
        "warnings": list(run.warnings),
    }


def end_view(run: Run, end: End) -> dict[str, Any]:
    """How a run came to its end. The error is the platform's, or that of the user's code."""
    return {
        "at": format_instant(end.at_ms),
        "cause": end.cause,
        "return_code": end.ending.return_code,
        "error": system_error(run, end) or user_error(end),
    }


def fault_view(standing: Standing) -> dict[str, Any]:
    """A fault as it was asked for, since when it is in force, and what it did so far."""
    return {
        "id": standing.name,
        "fault": standing.fault.given,
        "since": format_instant(standing.since_ms),
        "met": standing.tally.met,
        "hits": standing.tally.hit,
        "left": standing.left,
    }


def notice_view(notice: Notice) -> dict[str, Any]:
    """A callback and what became of it, without what may be secret in its URL."""
    due_ms = notice.delivery.due_ms
    return {
        "url": masked(notice.delivery.url),
        "due_at": None if due_ms is None else format_instant(due_ms),
        "state": notice.state,
        "detail": notice.detail,
        "attempts": [
            {
                "at": format_instant(attempt.at_ms),
                "seconds": round(attempt.seconds, 3),
                "status_code": attempt.status_code,
                "error": attempt.error,
            }
            for attempt in notice.attempts
        ],
    }


def composition_view(run: Run) -> dict[str, Any]:
    """How the run's scenario came about: what it extends, its turn in a sequence, its draw among variants."""
    turn, draw = run.picked.turn, run.picked.draw
    return {
        "extends": list(run.script.scenario.bases),
        "sequence": turn and asdict(turn),
        "variant": draw and asdict(draw),
    }


def ending_view(ending: Ending) -> dict[str, Any]:
    return {
        "status": ending.status,
        "return_code": ending.return_code,
        "error": ending.error,
        "result": ending.result,
    }


def submission_view(submission: Submission) -> dict[str, Any]:
    """What was submitted, without what is not given, and without what may be secret in a callback URL."""
    given = {name: getattr(submission, name) for name in submission.__struct_fields__}
    given["callback_urls"] = [masked(url) for url in submission.callback_urls]
    return {
        name: dict(value) if name == "metadata" else list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value not in (None, (), [], {})
    }
