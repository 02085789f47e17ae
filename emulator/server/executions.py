"""Operations of the tag `executions`: start runs; read, end and delete them one at a time."""

from __future__ import annotations

import re

from starlette.responses import Response

from emulator.runs.failure import system_error, user_error
from emulator.scenario.choice import METADATA_KEY
from emulator.scenario.submission import Submission
from emulator.server import wire
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.server.submissions import (
    compose_submission,
    environment_names,
    image_submission,
    python_submission,
)
from emulator.statuses import RunStatus

_WISH = re.compile(r"emulator(\.|\W?_?scen)", re.IGNORECASE)
"""What a name in metadata begins with that is meant for the emulator."""

SCENARIO_HEADER = "x-emulator-scenario"
_OTHER_HEADERS = frozenset({"x-emulator-token"})
"""What the emulator reads elsewhere, and a client may send with every request."""

STREAM_PATH = "/api/v1/stream/"

_MAX_WISHES, _MAX_NAME = 20, 200
"""So many of them are told, and so much of each: runs and the journal keep what is told."""

_HOST = re.compile(r"[A-Za-z0-9._\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")

# The words of the official client's status poll. Source: lyceum-cli, which does not know the documented ones.
_LEGACY_WORDS = {
    RunStatus.STARTING: "queued",
    RunStatus.FAILED: "failed_user",
    RunStatus.SYSTEM_FAILURE: "failed_system",
    RunStatus.ABORTED: "cancelled",
}


def start_python_execution(call: Call) -> Response:
    return _start(call, python_submission(call.body))


def start_image_execution(call: Call) -> Response:
    if environment_names(call.body.get("docker_run_env")) is None:
        call.exchange.warnings += ("body.docker_run_env: not one NAME=value a line, so none of its names are read",)
    return _start(call, image_submission(call.body))


def start_compose_execution(call: Call) -> Response:
    return _start(call, compose_submission(call.body))


def _start(call: Call, submission: Submission) -> Response:
    # The header is the emulator's own, so the service's contract does not know it.
    named = call.headers.get(SCENARIO_HEADER)
    tenant, exchange = call.tenant, call.exchange
    exchange.warnings += (*_unknown_wishes(submission), *unknown_headers(call))
    run = call.cloud.submit(tenant, submission, call.now_ms, named=named, warnings=exchange.warnings)
    exchange.execution_id = run.execution_id
    call.service.courier.watch(tenant)
    return json_response(
        {
            "execution_id": run.execution_id,
            "status": run.course.status_at(call.now_ms),
            "streaming_url": f"{_origin(call)}{STREAM_PATH}{run.execution_id}",
        }
    )


def _unknown_wishes(submission: Submission) -> tuple[str, ...]:
    """Metadata that is meant for the emulator and says nothing to it: most likely a slip of the pen."""
    wishes = [name for name in submission.metadata if name != METADATA_KEY and _WISH.match(name)]
    return tuple(
        f"body.metadata.{name[:_MAX_NAME]}: the emulator knows only {METADATA_KEY}" for name in wishes[:_MAX_WISHES]
    )


def unknown_headers(call: Call) -> tuple[str, ...]:
    """Headers of a start call that are meant for the emulator and say nothing to it, as `_unknown_wishes`."""
    wishes = [name for name in call.headers if name.startswith(("x-emulator", "emulator"))]
    if not wishes:  # as nearly always
        return ()
    unknown = [name for name in wishes if name != SCENARIO_HEADER and name not in _OTHER_HEADERS]
    return tuple(
        f"header.{name[:_MAX_NAME]}: the emulator knows only X-Emulator-Scenario" for name in unknown[:_MAX_WISHES]
    )


def _origin(call: Call) -> str:
    """The scheme and host by which the client reached the emulator, so that it reaches the stream the same way."""
    scope = call.scope
    host = call.headers.get("host", "")
    if not _HOST.fullmatch(host):  # nothing that a client makes up is handed on to another
        address, port = scope.get("server") or ("127.0.0.1", None)
        host = f"{address}:{port}" if port else address
    return f"{scope['scheme']}://{host}"


def get_execution(call: Call) -> Response:
    run = call.tenant.get(call.execution_id)
    return json_response(wire.record(call.tenant, run, call.now_ms))


def delete_execution(call: Call) -> Response:
    call.tenant.delete(call.execution_id, call.now_ms)
    return json_response({"execution_id": call.execution_id, "message": "Execution deleted"})


def get_execution_timing(call: Call) -> Response:
    return json_response(wire.timing(call.tenant.get(call.execution_id), call.now_ms))


def get_streaming_status(call: Call) -> Response:
    run = call.tenant.get(call.execution_id)
    status = run.course.status_at(call.now_ms)
    end = run.course.ended_by(call.now_ms)
    legacy = call.service.settings.legacy_statuses
    return json_response(
        {
            "execution_id": run.execution_id,
            "status": _LEGACY_WORDS.get(status, status) if legacy else status,
            "errors": end and (system_error(run, end) or user_error(end)),
            "return_code": end and end.ending.return_code,
            "execution_type": wire.KIND_WORDS[run.submission.kind],
        }
    )


def complete_streaming_execution(call: Call) -> Response:
    run = call.tenant.complete(call.execution_id, call.now_ms)
    return json_response(wire.ended(run, call.now_ms, "Execution completed"))
