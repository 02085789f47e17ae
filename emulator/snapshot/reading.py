"""From a snapshot's JSON to the state that it describes. Its form was checked against the contract before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import orjson
from msgspec.structs import replace

from emulator.clock import MAX_SPEED, ClockMode, ClockSettings
from emulator.documents import read_document
from emulator.errors import Conflict, ScenarioError
from emulator.faults.standing import Standing, Tally
from emulator.runs.callbacks import deliveries
from emulator.runs.command import Command, Order
from emulator.runs.run import Run
from emulator.scenario.choice import Choice, QueueEntry, Rule
from emulator.scenario.composition import compose
from emulator.scenario.file.faults import ANYWHERE
from emulator.scenario.file.format import read_draft
from emulator.scenario.file.grammar import Findings, Unread
from emulator.scenario.matching import Difference, NearMiss, match_from
from emulator.scenario.model import Scenario
from emulator.scenario.submission import Kind, Submission
from emulator.snapshot.state import EnvironmentState, FaultsState, ServerState, TenantState
from emulator.statuses import RunStatus
from emulator.tenants.environment import EnvironmentVariable
from emulator.tenants.making import make_run
from emulator.tenants.outbox import Attempt, Notice, NoticeState
from emulator.times import LATEST_MS, parse_instant_ms

Json = Mapping[str, Any]


def read_server(document: Json) -> ServerState:
    """The state of a whole server. Raises Conflict with what cannot be restored, and where it stands."""
    reader = _Reader(document)
    server = document.get("server")
    if server is None:
        raise Conflict("this is the snapshot of one tenant: restore it with that tenant's token")
    return ServerState(
        seed=server["seed"],
        clock=_clock(server["clock"]),
        default_scenario=server["default_scenario"],
        added=reader.scenarios(server["added"]),
        queue=reader.queue(server["queue"]),
        faults=_faults(server["faults"], "server.faults"),
        tenants=tuple(reader.tenants()),
    )


def read_tenant(document: Json) -> TenantState:
    """The state of the only tenant of a snapshot. Raises Conflict."""
    tenants = list(_Reader(document).tenants())
    if len(tenants) != 1:
        raise Conflict(f"this snapshot holds {len(tenants)} tenants, and with a token one is restored")
    return tenants[0]


class _Reader:
    def __init__(self, document: Json) -> None:
        self._tenants: Mapping[str, Json] = document["tenants"]
        self._scenarios: dict[str, Scenario] = {}
        for digest, files in document["scenarios"].items():
            try:
                drafts = tuple(read_draft(file["text"], name=file["name"], source=file["source"]) for file in files)
                self._scenarios[digest] = compose(drafts)
            except ScenarioError as error:
                raise Conflict(
                    f"the snapshot's scenario {digest[:20]} cannot be read by this version: {error}"
                ) from None

    def scenario(self, digest: str) -> Scenario:
        found = self._scenarios.get(digest)
        if found is None:
            raise Conflict(f"the snapshot names a scenario that it does not hold: {digest[:80]}")
        return found

    def scenarios(self, digests: list[str]) -> tuple[Scenario, ...]:
        return tuple(map(self.scenario, digests))

    def queue(self, entries: list[Json]) -> tuple[QueueEntry, ...]:
        return tuple(
            QueueEntry(self.scenario(entry["scenario"]), entry["times"], match_from(entry["match"]))
            for entry in entries
        )

    def tenants(self) -> Iterator[TenantState]:
        for key, tenant in self._tenants.items():
            clock, environment = tenant["clock"], tenant["environment"]
            follows = "follows" in clock
            runs = [self.run(run, f"tenants.{key[:8]}.runs[{number}]") for number, run in enumerate(tenant["runs"])]
            gone = tenant.get("deleted", [])
            deleted = [self.run(run, f"tenants.{key[:8]}.deleted[{number}]") for number, run in enumerate(gone)]
            yield TenantState(
                key=key,
                clock=None if follows else _clock(clock),
                lead_ms=clock["lead_ms"] if follows else 0,
                seed=tenant["seed"],
                submissions=tenant["submissions"],
                turns=tenant["turns"],
                added=self.scenarios(tenant["added"]),
                queue=self.queue(tenant["queue"]),
                faults=_faults(tenant["faults"], f"tenants.{key[:8]}.faults"),
                environment=EnvironmentState(tuple(map(_variable, environment["variables"])), environment["count"]),
                runs=tuple(runs),
                tallies={
                    execution_id: tallies
                    for run in tenant["runs"]
                    for execution_id, tallies in run["fault_tallies"].items()
                },
                notices={
                    run.execution_id: _notices(run, stored["callbacks"])
                    for run, stored in zip([*runs, *deleted], [*tenant["runs"], *gone], strict=True)
                    if stored["callbacks"]
                },
                deleted=tuple(deleted),
            )

    def run(self, stored: Json, path: str) -> Run:
        """The run as it was made, with the commands that it was given since."""
        run = make_run(
            stored["execution_id"],
            stored["seed"],
            _submission(stored["submission"]),
            self.scenario(stored["scenario"]),
            _choice(stored["chosen_by"]),
            _ms(stored["submitted_at"]),
            earlier=stored["earlier"],
            warnings=tuple(stored["warnings"]),
        )
        children: Mapping[str, list[Json]] = stored["children"]
        if children.keys() != {child.execution_id for child in run.children}:
            raise Conflict(f"{path}: its runs on the profiles are not those that this version starts")
        renewed = tuple(replace(child, commands=_commands(children[child.execution_id])) for child in run.children)
        return replace(run, commands=_commands(stored["commands"]), children=renewed)


def _clock(stored: Json) -> ClockSettings:
    speed = min(float(stored["speed"]), MAX_SPEED)
    return ClockSettings(ClockMode(stored["mode"]), speed, stored["step_ms"], _ms(stored["now"]))


def _ms(text: str) -> int:
    ms = parse_instant_ms(text)
    if ms is None or not 0 <= ms <= LATEST_MS:
        raise Conflict(f"the snapshot has `{text[:40]}` where a time from 1970 to 2100 belongs")
    return ms


def _faults(stored: Json, path: str) -> FaultsState:
    standings = tuple(_standing(each, f"{path}.in_force[{n}]") for n, each in enumerate(stored["in_force"]))
    return FaultsState(standings, stored["count"])


def _standing(stored: Json, path: str) -> Standing:
    document = read_document(orjson.dumps(stored["fault"]).decode())
    findings = Findings()
    try:
        if document.root is None:
            raise Unread
        fault = ANYWHERE.read(document.root, "", findings)
    except Unread:
        told = "; ".join(problem.message for problem in (*document.problems, *findings.problems()))
        raise Conflict(f"{path}: {told}") from None
    return Standing(stored["name"], fault, _ms(stored["since"]), stored["seed"], Tally(stored["met"], stored["hit"]))


def _variable(stored: Json) -> EnvironmentVariable:
    return EnvironmentVariable(
        stored["id"], stored["name"], stored["is_secret"], _ms(stored["created_at"]), _ms(stored["updated_at"])
    )


def _submission(stored: Json) -> Submission:
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else MappingProxyType(value) if isinstance(value, dict) else value
        for name, value in stored.items()
    }
    return Submission(**{**given, "kind": Kind(stored["kind"])})


def _choice(stored: Json) -> Choice:
    misses = tuple(
        NearMiss(miss["scenario"], tuple(Difference(**difference) for difference in miss["differences"]))
        for miss in stored["near_misses"]
    )
    return Choice(Rule(stored["rule"]), stored["detail"], misses)


def _commands(stored: list[Json]) -> tuple[Command, ...]:
    return tuple(
        Command(
            Order(each["order"]),
            _ms(each["at"]),
            None if each["to"] is None else RunStatus(each["to"]),
            each["detail"],
        )
        for each in stored
    )


def _notices(run: Run, stored: Mapping[str, Json]) -> dict[int, Notice]:
    """What became of a run's callbacks, by their place among those that it owes."""
    owed = deliveries(run)
    found = {}
    for place, notice in stored.items():
        if not place.isdecimal() or int(place) >= len(owed):
            raise Conflict(f"the run {run.execution_id} owes no callback {place[:20]}")
        attempts = [
            Attempt(_ms(each["at"]), each["seconds"], each["status_code"], each["error"]) for each in notice["attempts"]
        ]
        found[int(place)] = Notice(run, owed[int(place)], NoticeState(notice["state"]), notice["detail"], attempts)
    return found
