"""Runs as the service writes them: the one place that knows its field names."""

from __future__ import annotations

from typing import Any

from emulator.runs.billing import billed_usd
from emulator.runs.failure import system_error, user_error
from emulator.runs.lifecycle import End
from emulator.runs.output import LogLine, recorded
from emulator.runs.run import Run
from emulator.runs.timing import PhaseName, moments, phases
from emulator.scenario.output import OutputStream
from emulator.scenario.submission import Kind
from emulator.tenants.tenant import Tenant
from emulator.times import format_instant

# In a stored record `execution_type` is the kind of run, while the start calls use the same name for the hardware.
# Source: a public dashboard reads "python code" and "docker"; the other two are inferred.
KIND_WORDS = {
    Kind.PYTHON: "python code",
    Kind.DOCKER: "docker",
    Kind.COMPOSE: "docker compose",
    Kind.GPU_SELECTION: "gpu selection",
}
_CONTAINERS = (Kind.DOCKER, Kind.COMPOSE)
_PHASE_WORDS = {
    PhaseName.QUEUED: "queued",
    PhaseName.LAUNCHING_CONTAINER: "launchingContainer",
    PhaseName.EXECUTING_JOB: "executingJob",
    PhaseName.SHUTTING_DOWN: "shuttingDown",
}
_NO_SECONDS = dict.fromkeys(_PHASE_WORDS.values(), 0.0)
_COMPLETION_FIELDS = (
    *("execution_id", "status", "execution_type", "hardware_profile", "file_name", "job_type", "metadata"),
    *("created_at", "start_time", "end_time", "finish_time"),
)
_LEVELS = {OutputStream.STDOUT: "info", OutputStream.STDERR: "error"}


def instant(ms: int | None) -> str | None:
    return None if ms is None else format_instant(ms)


def workload(run: Run, now_ms: int) -> dict[str, Any]:
    """One item of `/workloads/list`."""
    submission = run.submission
    return {
        "execution_id": run.execution_id,
        "status": run.course.status_at(now_ms),
        "execution_type": KIND_WORDS[submission.kind],
        "hardware_profile": run.hardware,
        "created_at": format_instant(run.submitted_ms),
        "file_name": submission.file_name,
        "job_type": submission.job_type,
        "run_name": submission.run_name,
        "labels": list(submission.labels),
        "metadata": dict(submission.metadata),
        "execution_owner": None,
    }


def history_row(run: Run, now_ms: int) -> dict[str, Any]:
    """One item of `/billing/history`; a record has all of it, too."""
    end = run.course.ended_by(now_ms)
    return _row(run, now_ms, end, system_error(run, end) if end else None)


def _row(run: Run, now_ms: int, end: End | None, trouble: str | None) -> dict[str, Any]:
    """`history_row`, where it is known whether the run is over and what trouble of the platform ended it."""
    submission = run.submission
    at = moments(run, now_ms)
    started, ended = instant(at.started_ms), instant(at.ended_ms)
    return {
        "execution_id": run.execution_id,
        "created_at": format_instant(at.created_ms),
        "execution_type": KIND_WORDS[submission.kind],
        "status": run.course.status_at(now_ms),
        "hardware_profile": run.hardware,
        "status_details": trouble or (end and end.ending.error),
        "local_imports": list(submission.local_imports) or None,
        "billed": billed_usd(run, now_ms),
        "execelet_start": instant(at.received_ms),
        "start_time": started,
        "end_time": ended,
        "finish_time": instant(at.finished_ms),
        "job_start": started,
        "job_end": ended,
        "file_name": submission.file_name,
        "errors_docker": end and user_error(end) if submission.kind in _CONTAINERS else None,
        "parent_execution_id": run.parent_id,
        "job_type": submission.job_type,
        "metadata": dict(submission.metadata),
    }


def record(tenant: Tenant, run: Run, now_ms: int) -> dict[str, Any]:
    """The full record of a run."""
    submission = run.submission
    end = run.course.ended_by(now_ms)
    trouble = system_error(run, end) if end else None
    output = recorded(run, now_ms)
    is_docker = submission.kind is Kind.DOCKER
    row = _row(run, now_ms, end, trouble)
    row |= {
        "user_id": tenant.identity.user_id,
        "run_name": submission.run_name,
        "labels": list(submission.labels),
        "fastapi_received": format_instant(run.submitted_ms),
        "return_code": end and end.ending.return_code,
        "stdout": output.stdout,
        "stderr": output.stderr,
        "combined_output": output.combined,
        "result": end and end.ending.result,
        "errors": end and user_error(end),
        "system_errors": [trouble] if trouble else None,
        "warnings": None,
        "install_log": None,
        "install_return_code": None,
        "timeout": submission.timeout_s,
        "python_code": submission.code,
        "python_requirements": submission.requirements,
        "python_globals_out": None,
        "docker_image_ref": submission.image,
        "docker_run_cmd": list(submission.command) if is_docker else None,
        "compose_file_code": submission.compose,
        "enable_s3_mount": submission.s3_mount if submission.kind in _CONTAINERS else None,
        "s3_mount_path": submission.s3_mount_path,
        "graceful_timeout": submission.graceful_timeout_s,
        "environment_variables": list(submission.environment),
    }
    return row


def completion(run: Run) -> dict[str, Any]:
    """The body of a callback: what a record says of the end of `run`, which has to be fixed.

    Inferred: the service documents that job completion information is sent, and not in which form.
    """
    end = run.course.end
    if end is None:
        raise ValueError(f"the run {run.execution_id} has no end to tell of")
    trouble = system_error(run, end)
    row = _row(run, end.at_ms, end, trouble)
    return {name: row[name] for name in _COMPLETION_FIELDS} | {
        "run_name": run.submission.run_name,
        "labels": list(run.submission.labels),
        "return_code": end.ending.return_code,
        "errors": user_error(end),
        "system_errors": [trouble] if trouble else None,
    }


def ended(run: Run, now_ms: int, message: str) -> dict[str, Any]:
    """The answer to abort, stop and complete."""
    return {"execution_id": run.execution_id, "status": run.course.status_at(now_ms), "message": message}


def timing(run: Run, now_ms: int) -> dict[str, Any]:
    """Where a run's time went, in seconds."""
    entered = phases(run, now_ms)
    # A run that is accepted is queued at the same instant, so the request itself takes no emulated time.
    seconds = {"jobRequestSent": 0.0, **_NO_SECONDS}
    written_phases = {}
    for phase in entered:
        word = _PHASE_WORDS[phase.name]
        duration_s = ((now_ms if phase.ends_ms is None else phase.ends_ms) - phase.starts_ms) / 1000
        seconds[word] = duration_s
        written_phases[word] = {
            "start_time": format_instant(phase.starts_ms),
            "end_time": instant(phase.ends_ms),
            "duration": duration_s,
        }
    end = run.course.ended_by(now_ms)
    total_s = ((end.at_ms if end else now_ms) - run.submitted_ms) / 1000
    return {"timing": {"total_duration": total_s, "total": total_s, **seconds, "phases": written_phases}}


def log_entry(tenant: Tenant, run: Run, line: LogLine) -> dict[str, Any]:
    return {
        "timestamp": format_instant(line.at_ms),
        "message": line.message,
        "level": _LEVELS[line.stream],
        "execution_id": run.execution_id,
        "user_id": tenant.identity.user_id,
        "hostname": tenant.identity.host_name(run.seed),
        "labels": {
            "execution_id": run.execution_id,
            "user_id": tenant.identity.user_id,
            "stream": line.stream.value,
        },
    }
