"""What a session has tried of the emulated service, and what it has not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from starlette.responses import Response

from emulator.contract.document import load_document
from emulator.contract.operations import operations
from emulator.resources import CONTRACT_FILE
from emulator.runs.run import Run
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.server.service import Service
from emulator.statuses import FOLLOWERS, RunStatus
from emulator.tenants.cloud import Cloud
from emulator.tenants.journal import Exchange


class Coverage:
    """An observer that counts answers by operation and status code, and notes what the runs that are asked about did.

    Scripted faults are counted apart: they are no answers of the operation. Nothing here is ever reset.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.answers: Counter[tuple[str, int]] = Counter()
        self.faults: Counter[str] = Counter()
        self.statuses: set[RunStatus] = set()
        self.transitions: set[tuple[RunStatus, RunStatus]] = set()
        self.scenarios: set[str] = set()
        self._noted: set[tuple[str, RunStatus, int]] = set()

    def __call__(self, exchange: Exchange, response: Response) -> None:
        if exchange.operation is None or exchange.method in ("HEAD", "OPTIONS"):
            return
        if exchange.fault is not None:
            self.faults[exchange.operation.operation_id] += 1
            return
        if not exchange.status_code:
            return  # nothing was answered, since the client went away
        self.answers[exchange.operation.operation_id, response.status_code] += 1
        # Now, since a run can be gone by the time of the report.
        if exchange.execution_id is not None:
            owner = self._cloud.owner_of(exchange.execution_id)
            run = None if owner is None else owner.find(exchange.execution_id)
            if owner is not None and run is not None:
                self._note(run, owner.clock.now_ms() if exchange.at_ms is None else exchange.at_ms)

    def look_at_all(self) -> None:
        """Note the runs that nobody asked about, too."""
        for tenant in self._cloud.tenants.values():
            now_ms = tenant.clock.now_ms()
            for run in tenant.newest_first():
                self._note(run, now_ms)

    def _note(self, run: Run, now_ms: int) -> None:
        # Most requests ask about a run that did what others did; this is cheaper than to go through its life again.
        name, course = run.script.scenario.name, run.course
        kind = name, course.status_at(now_ms), len(course.stages)
        if kind in self._noted:
            return
        self._noted.add(kind)
        self.scenarios.add(name)
        passed = [status for status, _ in run.course.transitions(now_ms)]
        self.statuses.update(passed)
        self.transitions.update(pairwise(passed))


def coverage_of(service: Service) -> Coverage:
    """The coverage of a server, which begins when this is first asked."""
    for observer in service.observers:
        if isinstance(observer, Coverage):
            return observer
    coverage = Coverage(service.cloud)
    service.observers.append(coverage)
    return coverage


def get_coverage(call: Call) -> Response:
    coverage = coverage_of(call.service)
    coverage.look_at_all()
    rows: list[dict[str, Any]] = []
    for operation in operations(load_document(CONTRACT_FILE)).values():
        documented = sorted(int(code) for code in operation.node["responses"])
        name = operation.operation_id
        answers = {str(code): coverage.answers[name, code] for code in documented}
        rows.append({"operation_id": name, "answers": answers, "faults": coverage.faults[name]})
    counts = [count for row in rows for count in row["answers"].values()]
    possible = [(before, after) for before, followers in FOLLOWERS.items() for after in followers]
    return json_response(
        {
            "answers": {"tried": sum(count > 0 for count in counts), "documented": len(counts)},
            "operations": rows,
            "statuses": _tried(coverage.statuses, RunStatus),
            "transitions": _tried(map(_arrow, coverage.transitions), map(_arrow, possible)),
            "scenarios": _tried(coverage.scenarios, [scenario.name for scenario in call.cloud.library.scenarios()]),
        }
    )


def _tried(tried: Iterable[str], known: Iterable[str]) -> dict[str, list[str]]:
    done = set(tried)
    return {"tried": sorted(done), "untried": sorted(set(known) - done)}


def _arrow(transition: tuple[RunStatus, RunStatus]) -> str:
    before, after = transition
    return f"{before} -> {after}"
