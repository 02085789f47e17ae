"""One run from its submission to its end, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from emulator.cli.options import EXAMPLE_KEY
from emulator.clock import START_MS, Clock, ClockMode, ClockSettings
from emulator.control.wire import run_view
from emulator.runs.output import LogLine, log_lines, written
from emulator.runs.run import Run
from emulator.scenario.library import Library
from emulator.scenario.submission import Kind, Submission
from emulator.server import wire
from emulator.server.gpu_selection import status_body
from emulator.tenants.cloud import Cloud
from emulator.tenants.tenant import Tenant
from emulator.times import format_instant

ENDLESS_SHOWN_MS = 3_600_000
"""How much is shown of the last stage of a run that only ends when somebody stops it."""


class Orders(Struct, frozen=True):
    """When the run is to be stopped or aborted, counted from its submission; None: not at all."""

    stop_ms: int | None = None
    abort_ms: int | None = None


class Simulation(Struct, frozen=True):
    """A run and its tenant, and the last instant that is shown of it: its end, if it has one."""

    tenant: Tenant
    run: Run

    @property
    def until_ms(self) -> int:
        course = self.run.course
        return course.end.at_ms if course.end is not None else course.stages[-1].starts_ms + ENDLESS_SHOWN_MS

    def lines(self) -> list[LogLine]:
        return list(log_lines(self.run, self.until_ms))

    def record_at(self, age_ms: int) -> dict[str, Any]:
        """The answer to GET /execution/{id}, so long after the submission."""
        return wire.record(self.tenant, self.run, self.run.submitted_ms + age_ms)

    def view(self) -> dict[str, Any]:
        """All of the run, in the words of both APIs: `run` as GET /_emulator/runs/{id} shows it, the others as
        GET /execution/{id} and its timing do, at the end of the run; `gpu_selection` is there for one alone.
        """
        return {
            "at": format_instant(self.until_ms),
            "ended": self.run.course.end is not None,
            "run": run_view(self.tenant, self.run, self.until_ms),
            "record": wire.record(self.tenant, self.run, self.until_ms),
            **wire.timing(self.run, self.until_ms),
            "output": list(self._output()),
        } | self._selection()

    def _selection(self) -> dict[str, Any]:
        """For a GPU selection, its status at the end."""
        is_selection = self.run.submission.kind is Kind.GPU_SELECTION
        return {"gpu_selection": status_body(self.run, self.until_ms)} if is_selection else {}

    def _output(self) -> Iterator[dict[str, Any]]:
        for piece in written(self.run, self.until_ms):
            after_s = (piece.at_ms - self.run.submitted_ms) / 1000
            yield {"at": format_instant(piece.at_ms), "after_s": after_s, "stream": piece.stream, "text": piece.text}


def simulate(
    library: Library,
    submission: Submission,
    *,
    named: str | None,
    default_scenario: str,
    seed: int | None = None,
    attempt: int = 1,
    orders: Orders | None = None,
) -> Simulation:
    """The run that `submission` gets: the `attempt`th of a new server's first tenant.

    `named` asks for a scenario by its name; `seed` is the run's own, in place of the one that follows from the
    server's. Raises NotFound or Invalid for an unknown scenario, Conflict for an order that comes too late.
    """
    orders = orders or Orders()
    clock = Clock(ClockSettings(ClockMode.MANUAL, start_ms=START_MS))
    cloud = Cloud(library, default_scenario=default_scenario, seed=0, clock=clock)
    tenant = cloud.tenant(EXAMPLE_KEY)
    for _ in range(attempt):
        run = cloud.submit(tenant, submission, START_MS, named=named, seed=seed)
    if orders.stop_ms is not None:
        run = tenant.stop(run.execution_id, START_MS + orders.stop_ms)
    if orders.abort_ms is not None:
        run = tenant.abort(run.execution_id, START_MS + orders.abort_ms)
    return Simulation(tenant, run)
