"""Which function answers which operation of the emulated contract: the one of its name."""

from __future__ import annotations

from emulator.server import account, billing, executions, logs, machines, metrics, stream, workloads
from emulator.server.call import Handler

_HANDLERS: tuple[Handler, ...] = (
    account.get_user_org,
    billing.get_billing_history,
    executions.abort_image_execution,
    executions.abort_streaming_execution,
    executions.complete_streaming_execution,
    executions.delete_execution,
    executions.get_execution,
    executions.get_execution_timing,
    executions.get_streaming_status,
    executions.start_compose_execution,
    executions.start_image_execution,
    executions.start_python_execution,
    logs.get_execution_logs,
    logs.get_user_logs,
    machines.list_available_hardware,
    machines.list_machine_types,
    metrics.get_execution_metrics,
    stream.stream_output,
    stream.stream_output_by_get,
    workloads.abort_workload,
    workloads.list_workloads,
    workloads.stop_workload,
)
HANDLERS: dict[str, Handler] = {handler.__name__: handler for handler in _HANDLERS}
