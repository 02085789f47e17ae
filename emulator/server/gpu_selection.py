"""Operations of the tag `gpu_selection`: try a script on several GPUs at once, and see which one to take."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from emulator.errors import NotFound
from emulator.runs.billing import billed_usd
from emulator.runs.failure import system_error, user_error
from emulator.runs.run import Run
from emulator.runs.selection import (
    Profiled,
    ProfileStatus,
    SelectionStatus,
    fits,
    memory_needs,
    profiled,
    recommendation,
    selection_status,
    total_usd,
)
from emulator.runs.timing import moments
from emulator.scenario.submission import Kind
from emulator.server import wire
from emulator.server.call import Call
from emulator.server.executions import SCENARIO_HEADER, unknown_headers
from emulator.server.responses import json_response
from emulator.server.submissions import gpu_selection_submission
from emulator.tenants.fan_out import callback_token
from emulator.tenants.tenant import NO_SUCH_RUN

_RESULT_WORDS = {ProfileStatus.SUCCESS: "OK", ProfileStatus.FAILED: "FAILED", ProfileStatus.ABORTED: "ABORTED"}


def start_gpu_selection(call: Call) -> Response:
    named = call.headers.get(SCENARIO_HEADER)
    submission = gpu_selection_submission(call.body)
    exchange = call.exchange
    exchange.warnings += unknown_headers(call)
    run = call.cloud.submit(call.tenant, submission, call.now_ms, named=named, warnings=exchange.warnings)
    exchange.execution_id = run.execution_id
    count = len(run.children)
    tried = f"on {count} GPU profile{'' if count == 1 else 's'}" if count else "with a look at the code"
    return json_response(
        {
            "execution_id": run.execution_id,
            "status": selection_status(run, call.now_ms),
            "message": f"GPU selection started {tried}",
            "callback_token": callback_token(call.cloud.seed, call.tenant.key, run.execution_id),
        }
    )


def get_gpu_selection_status(call: Call) -> Response:
    run = call.tenant.get(call.execution_id)
    if run.submission.kind is not Kind.GPU_SELECTION:
        raise NotFound(NO_SUCH_RUN)
    return json_response(status_body(run, call.now_ms))


def status_body(parent: Run, now_ms: int) -> dict[str, Any]:
    """Parent, sub-jobs and results. What is not known yet is left out of `metadata`, as the client expects."""
    end = parent.course.ended_by(now_ms)
    trouble = end and system_error(parent, end)
    return {
        "execution_id": parent.execution_id,
        "status": selection_status(parent, now_ms),
        "created_at": wire.instant(parent.submitted_ms),
        "finish_time": wire.instant(end.at_ms if end else None),
        "file_name": parent.submission.file_name,
        "errors": end and (trouble or user_error(end)),
        "system_errors": [trouble] if trouble else None,
        "billed": total_usd(parent, now_ms),
        "sub_jobs": [_sub_job(child, now_ms) for child in parent.children],
        "metadata": _metadata(parent, now_ms),
    }


def _sub_job(child: Run, now_ms: int) -> dict[str, Any]:
    at = moments(child, now_ms)
    end = child.course.ended_by(now_ms)
    return {
        "execution_id": child.execution_id,
        "parent_execution_id": child.parent_id,
        "hardware_profile": child.hardware,
        "status": child.course.status_at(now_ms),
        "start_time": wire.instant(at.started_ms),
        "end_time": wire.instant(at.ended_ms),
        "finish_time": wire.instant(at.finished_ms),
        "return_code": end and end.ending.return_code,
        "errors": end and (system_error(child, end) or user_error(end)),
        "billed": billed_usd(child, now_ms),
    }


def _metadata(parent: Run, now_ms: int) -> dict[str, Any]:
    results = profiled(parent, now_ms)
    metadata: dict[str, Any] = {"profiling_results": [_profiling_result(result) for result in results]}
    if needs := memory_needs(parent, now_ms):
        metadata["extraction_result"] = {
            "status": "success",
            "memory_config": {
                "minimal_configs": [
                    {
                        "gpu_type": fit.profile,
                        "per_gpu_vram_gb": fit.memory_gb,
                        "min_gpu_count": fit.gpus,
                        "vram_utilization_percent": fit.used_percent,
                    }
                    for fit in fits(parent, needs)
                ],
                "memory_requirements": {
                    "parameter_count": needs.parameters,
                    "model_weights": needs.weights,
                    "gradients": needs.gradients,
                    "optimizer_states": needs.optimizer_states,
                    "activations": needs.activations,
                },
            },
        }
    chosen = recommendation(results)
    if chosen is not None and selection_status(parent, now_ms) is SelectionStatus.COMPLETED:
        metadata["selection_results"] = {
            "best": chosen.best,
            "fastest": chosen.fastest,
            "cheapest": chosen.cheapest,
            "metrics": {result.child.hardware: _result_metrics(result) for result in results},
        }
    return metadata


def _profiling_result(result: Profiled) -> dict[str, Any]:
    through = result.status is ProfileStatus.SUCCESS
    return {
        "profile": result.child.hardware,
        "status": result.status,
        "execution_id": result.child.execution_id,
        "execution_time": result.seconds,
        "cost": result.cost_usd,
        "runtime_report": {
            "estimated_per_epoch_time_s": result.seconds if through else None,
            "train_iteration": {"train_iterations_per_second": result.iterations_per_second},
        },
    }


def _result_metrics(result: Profiled) -> dict[str, Any]:
    through = result.status is ProfileStatus.SUCCESS
    seconds = result.seconds if through else None
    return {
        "status": _RESULT_WORDS[result.status],
        "time": seconds,
        "htime": None if seconds is None else _for_people(seconds),
        "cost": result.cost_usd if through else None,
        "is_per_epoch": False,
    }


def _for_people(seconds: float) -> str:
    """`4.55s`, `1m 32s`, `2h 5m 0s`."""
    if seconds < 60:
        return f"{seconds:.2f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{f'{hours}h ' if hours else ''}{minutes}m {rest}s"
