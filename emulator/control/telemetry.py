"""The control operation that shows all running runs as NVIDIA's dcgm-exporter would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from starlette.responses import Response

from emulator.hardware.profiles import find_profile
from emulator.runs.run import Run
from emulator.server.call import Call
from emulator.tenants.identity import digest, uuid_of
from emulator.tenants.tenant import Tenant

if TYPE_CHECKING:
    from emulator.telemetry.exposition import Exposed

# A driver of the production branch at the time of writing; the exporter puts it beside every line.
_DRIVER_VERSION = "580.95.05"
_NAMESPACE = "runs"
_FIRST_PCI_BUS = 0x19


async def get_dcgm_metrics(call: Call) -> Response:
    from emulator.telemetry.exposition import CONTENT_TYPE, HostLabel, exposed_families  # late: brings numpy

    tenants = call.cloud.tenants.values() if call.caller is None else (call.caller,)
    # Settled before others have their turn, so that all of a tenant is of one instant.
    shown = [each for tenant in tenants for each in _active(tenant)]
    devices: list[Exposed] = []
    for tenant, run, now_ms in shown:
        devices += _devices(tenant, run, now_ms)
        await asyncio.sleep(0)  # a run may take milliseconds, and a page has thousands
    page = []
    for family in exposed_families(devices, HostLabel(call.values["host_label"])):
        page.append(family)
        await asyncio.sleep(0)
    return Response("".join(page), headers={"Content-Type": CONTENT_TYPE})


def _active(tenant: Tenant) -> list[tuple[Tenant, Run, int]]:
    now_ms = tenant.clock.now_ms()
    return [(tenant, run, now_ms) for run in tenant.active(now_ms)]


def _devices(tenant: Tenant, run: Run, now_ms: int) -> Iterator[Exposed]:
    """The GPUs of a running run, or of a starting one that has metrics already."""
    from emulator.telemetry.counters import counters_at
    from emulator.telemetry.exposition import Exposed
    from emulator.telemetry.plan import workload_of

    profile = find_profile(run.hardware)
    if profile is None or profile.device is None:
        return
    # Where in its machine a GPU sits is drawn; runs of one host then differ in more than their UUIDs.
    first_bus = _FIRST_PCI_BUS + digest(run.execution_id, "bus")[0] % 0x80
    for index, counters in enumerate(counters_at(workload_of(run), now_ms)):
        yield Exposed(
            index=index,
            uuid=f"GPU-{uuid_of(run.execution_id, index)}",
            pci_bus_id=f"00000000:{first_bus + index:02X}:00.0",
            model_name=profile.device.model_name,
            hostname=tenant.identity.host_name(run.seed),
            counters=counters,
            labels={"DCGM_FI_DRIVER_VERSION": _DRIVER_VERSION},
            attributes={"container": "main", "namespace": _NAMESPACE, "pod": f"run-{run.execution_id}"},
        )
