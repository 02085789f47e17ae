"""Operations of the tag `metrics`: GPU and system telemetry of a run."""

from __future__ import annotations

from starlette.responses import Response

from emulator.errors import FieldProblem, Invalid
from emulator.runs.timing import moments
from emulator.server.call import Call
from emulator.telemetry.window import Window, parse_step_ms
from emulator.times import format_instant


def get_execution_metrics(call: Call) -> Response:
    # Late: numpy takes as long to import as the rest of the server, and many clients never ask for metrics.
    from emulator.telemetry.body import metrics_body
    from emulator.telemetry.plan import workload_of
    from emulator.telemetry.series import sample

    run = call.tenant.get(call.execution_id)
    at = moments(run, call.now_ms)
    # Source: Lyceum docs: the window is the run's start_time to its end_time, or now. Before the start there is
    # nothing to show, and the window begins with the submission (inferred).
    begin_ms = at.created_ms if at.started_ms is None else at.started_ms
    finish_ms = call.now_ms if at.finished_ms is None else at.finished_ms
    window = Window(
        begin_ms if call.values["start"] is None else call.values["start"],
        finish_ms if call.values["end"] is None else call.values["end"],
        _step_ms(call.values["step"]),
    )
    body = metrics_body(
        run.execution_id,
        call.tenant.identity.host_name(run.seed),
        format_instant(window.start_ms),
        format_instant(window.end_ms),
        sample(workload_of(run), window, call.now_ms),
    )
    return Response(body, media_type="application/json")


def _step_ms(text: str) -> int:
    step_ms = parse_step_ms(text)
    if step_ms is None:  # the contract's pattern lets nothing through that is no step
        raise Invalid((FieldProblem(("query", "step"), "Input should be a step such as 15s", "step_parsing"),))
    return step_ms
