"""What a failed test tells of its tenant: the journal, the runs and why they were what they were."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.embedded.lyceum import Lyceum
from emulator.errors import ControlError
from emulator.times import format_instant

LAST_REQUESTS = 20
MAX_RUNS = 20
_LOOKED_THROUGH = 1_000  # of everybody's requests, for those without this test's key
_MAX_BODY = 300
_MAX_SECTION = 20_000


def evidence(lyceum: Lyceum, alone_since_ms: int | None = None) -> dict[str, Any]:
    """All that there is to tell, as JSON: bounded, without secrets. Never raises for what the emulator does.

    `alone_since_ms` is since when, in ms of the wall's clock, nobody but the test has used the emulator: then whatever
    came without a good key was the test's, too. None where others use it.
    """
    try:
        return {
            "tenant": lyceum.name,
            "url": lyceum.url,
            "clock": lyceum.clock.view(),
            "requests": lyceum.control("GET", "/requests", params={"limit": LAST_REQUESTS, "callbacks": "false"}),
            "runs": lyceum.control("GET", "/runs", params={"limit": MAX_RUNS}),
            **lyceum.control("GET", "/queue"),
            **lyceum.control("GET", "/faults"),
            "requests_without_key": [] if alone_since_ms is None else _without_key(lyceum, alone_since_ms),
        }
    except ControlError as error:
        return {"tenant": lyceum.name, "error": f"the emulator could not be asked: {error}"}


def _without_key(lyceum: Lyceum, since_ms: int) -> list[Any]:
    """The last requests whose token opened no tenant, newest first."""
    since = format_instant(since_ms)
    params = {"limit": _LOOKED_THROUGH, "callbacks": "false"}
    everybody = lyceum.connection.control("GET", "/requests", params=params)["requests"]
    return [each for each in everybody if each["org"] is None and each["received_at"] >= since][:LAST_REQUESTS]


def sections(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Titles and texts for a person, from `evidence`."""
    if "error" in found:
        yield "lyceum", found["error"]
        return
    told = [*_journal(found["requests"]), *map(_stray, reversed(found["requests_without_key"]))]
    yield "lyceum requests", _cut("\n".join(told))
    if found["runs"]["runs"]:
        clock = f"the clock is {found['clock']['mode']}, at {found['clock']['now']}"
        yield "lyceum runs", _cut("\n".join((clock, *_runs(found["runs"]))))
    if unused := [*_waiting(found), *_missed(found["faults"])]:
        yield "lyceum, asked for and not met", _cut("\n".join(unused))


def _journal(answer: Mapping[str, Any]) -> Iterator[str]:
    shown = answer["requests"]
    if not shown:
        yield "the emulated API was asked nothing with this test's key"
        return
    if answer["total"] > len(shown):
        yield f"(the last {len(shown)} of {answer['total']})"
    for each in reversed(shown):
        at = (each["at"] or each["received_at"])[11:23]
        yield f"{at}  {each['status_code'] or '---'}  {each['method']} {each['path']}{_query(each['query'])}"
        if each["body"] is not None:
            yield f"              body: {_short(each['body'])}"
        if each["fault"]:
            yield f"              fault: {each['fault']}"
        yield from (f"              breaks the contract: {violation}" for violation in each["violations"])
        yield from (f"              goes beyond the contract: {warning}" for warning in each["warnings"])
        if each["detail"] and not each["violations"]:
            yield f"              detail: {each['detail']}"


def _stray(request: Mapping[str, Any]) -> str:
    why = request["detail"] or "; ".join(request["violations"])
    told = f"without a good key: {request['status_code']} {request['method']} {request['path']}"
    return f"{told}: {why}" if why else told


def _query(query: Mapping[str, list[str]]) -> str:
    fields = [f"{name}={value}" for name, values in query.items() for value in values]
    return f"?{'&'.join(fields)}" if fields else ""


def _runs(answer: Mapping[str, Any]) -> Iterator[str]:
    shown = answer["runs"]
    if answer["total"] > len(shown):
        yield f"(the last {len(shown)} of {answer['total']})"
    for run in reversed(shown):
        chosen = run["chosen_by"]
        yield f"{run['execution_id']}  {run['kind']} on {run['hardware_profile']}: {run['status']}"
        yield f"    scenario {run['scenario']}, by {chosen['rule']}: {chosen['detail']}"
        yield from (f"    near miss: {miss['scenario']}: {'; '.join(miss['failed'])}" for miss in chosen["near_misses"])
        yield from (f"    {each['at']}  {each['status']}" for each in run["transitions"])
        yield from (f"    {each['at']}  <- {each['command']}" for each in run["commands"])
        yield from _end(run)
        yield from map(_callback, run["callbacks"])


def _end(run: Mapping[str, Any]) -> Iterator[str]:
    end = run["end"]
    if end:
        code = "no return code" if end["return_code"] is None else f"return code {end['return_code']}"
        error = f": {end['error']}" if end["error"] else ""
        yield f"    ended by {end['cause'].replace('_', ' ')}, {code}{error}"
    yield from (f"    | {line}" for line in run["last_output"])


def _callback(notice: Mapping[str, Any]) -> str:
    told = f"    callback {notice['url']}: {notice['state']}"
    if notice["detail"]:
        told += f", {notice['detail']}"
    tried = [str(each["error"] or each["status_code"]) for each in notice["attempts"]]
    return f"{told} (tried: {', '.join(tried)})" if tried else told


def _waiting(found: Mapping[str, Any]) -> Iterator[str]:
    """The entries of the queue that no submission took, or fewer than they are for."""
    taken = {run["scenario"] for run in found["runs"]["runs"]}
    for entry in found["queue"]:
        times = entry["times"]
        if times is not None or entry["scenario"] not in taken:
            count = "every submission" if times is None else "a submission" if times == 1 else f"{times} submissions"
            wanted = f" with {_short(entry['match'])}" if entry["match"] else ""
            yield f"scenario {entry['scenario']}: waits for {count}{wanted}"


def _missed(faults: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The faults that hit nothing, or less often than they were to."""
    for each in faults:
        if each["hits"] == 0 or each["left"]:
            wanted = f"; it was to hit {each['left']} more" if each["left"] else ""
            yield f"{each['id']}, {_short(each['fault'])}: fitted {each['met']} requests, hit {each['hits']}{wanted}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_BODY else f"{text[:_MAX_BODY]}... ({len(text)} characters)"


def _cut(text: str) -> str:
    # The newest is at the end, and a report should rather lack what was long ago.
    return text if len(text) <= _MAX_SECTION else f"...{text[-_MAX_SECTION:]}"
