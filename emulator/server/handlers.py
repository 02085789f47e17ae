"""Which function answers which operation of the emulated contract."""

from __future__ import annotations

from emulator.server import (
    account,
    billing,
    environment,
    executions,
    gpu_selection,
    hardware,
    logs,
    metrics,
    stream,
    workloads,
)
from emulator.server.call import Handler

HANDLERS: dict[str, Handler] = {
    "abort_image_execution": workloads.abort_workload,
    "abort_streaming_execution": workloads.abort_workload,
    "abort_workload": workloads.abort_workload,
    "complete_streaming_execution": executions.complete_streaming_execution,
    "delete_all_environment_variables": environment.delete_all_environment_variables,
    "delete_environment_variable": environment.delete_environment_variable,
    "delete_execution": executions.delete_execution,
    "get_billing_history": billing.get_billing_history,
    "get_execution": executions.get_execution,
    "get_execution_logs": logs.get_execution_logs,
    "get_execution_metrics": metrics.get_execution_metrics,
    "get_execution_timing": executions.get_execution_timing,
    "get_gpu_selection_status": gpu_selection.get_gpu_selection_status,
    "get_streaming_status": executions.get_streaming_status,
    "get_user_logs": logs.get_user_logs,
    "get_user_org": account.get_user_org,
    "list_available_hardware": hardware.list_available_hardware,
    "list_environment_variables": environment.list_environment_variables,
    "list_machine_types": hardware.list_machine_types,
    "list_workloads": workloads.list_workloads,
    "set_environment_variables": environment.set_environment_variables,
    "start_compose_execution": executions.start_compose_execution,
    "start_gpu_selection": gpu_selection.start_gpu_selection,
    "start_image_execution": executions.start_image_execution,
    "start_python_execution": executions.start_python_execution,
    "stop_workload": workloads.stop_workload,
    "stream_output": stream.stream_output,
    "stream_output_by_get": stream.stream_output,
}
