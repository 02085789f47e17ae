"""What no schema says: how the answers about one run hang together, over time and with each other.

Each rule takes answers as JSON and yields a sentence for each place where they do not. tests/contract/hooks.py asks
them about every answer that schemathesis gets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

LIFECYCLE = ("pending", "starting", "running")
TERMINAL = frozenset({"completed", "failed", "system_failure", "cancelled", "aborted"})
_MOMENTS = ("created_at", "execelet_start", "start_time", "end_time", "finish_time")
RECORD_LIMIT_BYTES = 1 << 20


class Life:
    """The last status that each run was seen with; `compared` counts the second and later sights."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self.compared = 0

    def missteps(self, execution_id: str, status: str) -> Iterator[str]:
        """A run may stay, go on along the lifecycle, skip what was too short to be seen, or end; nothing else."""
        before = self._last.get(execution_id)
        self._last[execution_id] = status
        if status not in TERMINAL and status not in LIFECYCLE:
            yield f"{execution_id} is {status}, which is no status of a run"
            return
        if before is None:
            return
        self.compared += 1
        if before == status:
            return
        if before in TERMINAL:
            yield f"{execution_id} was {before}, which is an end, and is {status} now"
        elif status in LIFECYCLE and LIFECYCLE.index(status) < LIFECYCLE.index(before):
            yield f"{execution_id} was {before} and went back to {status}"

    def forget(self) -> None:
        self._last.clear()


def statuses_in(body: object) -> Iterator[tuple[str, str]]:
    """Each run that an answer shows with a status, by its id: a run, a list of runs, or rows of the history."""
    if isinstance(body, list):
        for item in body:
            yield from statuses_in(item)
    elif isinstance(body, dict):
        if isinstance(body.get("execution_id"), str) and isinstance(body.get("status"), str):
            yield body["execution_id"], body["status"]
        for name in ("executions", "runs"):
            yield from statuses_in(body.get(name))


def disorder(record: Mapping[str, Any]) -> Iterator[str]:
    """A record's instants come in the order of the lifecycle, and are there as far as the run has come."""
    known = [(name, record[name]) for name in _MOMENTS if record.get(name) is not None]
    for (first, earlier), (second, later) in pairwise(known):
        if instant(earlier) > instant(later):
            yield f"{first} {earlier} is after {second} {later}"
    for name, same in (("job_start", "start_time"), ("job_end", "end_time"), ("fastapi_received", "created_at")):
        if record.get(name) != record.get(same):
            yield f"{name} {record.get(name)} is not {same} {record.get(same)}"
    status = record["status"]
    if (record["finish_time"] is not None) != (status in TERMINAL):
        yield f"finish_time is {record['finish_time']} and status {status}"
    if status == "running" and record["start_time"] is None:
        yield "the run is running and has no start_time"
    if status in ("pending", "starting") and record["start_time"] is not None:
        yield f"the run is {status} and has the start_time {record['start_time']}"


def out_of_time(timing: Mapping[str, Any]) -> Iterator[str]:
    """A run's phases follow each other without a gap, and their durations are their lengths."""
    phases = [(name, phase) for name, phase in timing["phases"].items() if phase["start_time"] is not None]
    for name, phase in phases:
        if phase["duration"] < 0:
            yield f"{name} took {phase['duration']} seconds"
        if phase["end_time"] is not None:
            lasted = (instant(phase["end_time"]) - instant(phase["start_time"])).total_seconds()
            if abs(lasted - phase["duration"]) > 0.0015:
                yield f"{name} lasted {lasted} s from start to end and says {phase['duration']}"
    phases.sort(key=lambda named: instant(named[1]["start_time"]))
    for (first, before), (second, after) in pairwise(phases):
        if before["end_time"] != after["start_time"]:
            yield f"{first} ends at {before['end_time']} and {second} starts at {after['start_time']}"


def stray_points(metrics: Mapping[str, Any], asked: Mapping[str, str]) -> Iterator[str]:
    """Points are inside the window, sorted, at the same instants in all series that have any.

    `asked` are the query parameters: an instant that was asked for is the window's.
    """
    window = metrics["timeRange"]
    start, end = instant(window["start"]), instant(window["end"])
    if start > end:
        yield f"the window goes from {window['start']} to {window['end']}"
    for side in ("start", "end"):
        if side in asked and abs((instant(asked[side]) - instant(window[side])).total_seconds()) > 0.001:
            yield f"{side} was asked to be {asked[side]} and is {window[side]}"
    axes: dict[tuple[str, ...], str] = {}
    for name, points in metrics.items():
        if not isinstance(points, list) or not points:
            continue
        stamps = tuple(point["timestamp"] for point in points)
        if stamps not in axes:
            axes[stamps] = name
            times = [instant(stamp) for stamp in stamps]
            if not start <= times[0] <= times[-1] <= end:
                yield f"{name} goes from {stamps[0]} to {stamps[-1]}, outside {window['start']} to {window['end']}"
            if any(earlier >= later for earlier, later in pairwise(times)):
                yield f"{name} is not sorted by time"
    if len(axes) > 1:
        yield f"{' and '.join(axes.values())} have different instants"


def disagreement(stream: str, record: Mapping[str, Any], logs: Mapping[str, Any]) -> Iterator[str]:
    """The stream of a run, read as far as it came, says what its record says, and the record what the logs do."""
    output, finish = read_stream(stream)
    whole = record["combined_output"]
    cut = len(whole.encode()) >= RECORD_LIMIT_BYTES
    if not cut and not (whole == output if finish is not None else whole.startswith(output)):
        yield f"the stream says {output[-200:]!r}, and the record {whole[-200:]!r}"
    if finish is not None:
        if record["status"] not in TERMINAL:
            yield f"the stream has ended, and the record is {record['status']}"
        # A run that the infrastructure ended has no return code of its own; older clients want one all the same.
        code = 1 if record["return_code"] is None else record["return_code"]
        if finish["returnCode"] != code:
            yield f"the stream ends with {finish['returnCode']}, and the record with {record['return_code']}"
        if ("error" in finish) != (record["status"] == "system_failure"):
            yield f"the stream's end is {finish}, and the record {record['status']}"
    if cut or logs["total"] > len(logs["logs"]):
        return
    for name in ("stdout", "stderr"):
        told = [line["message"] for line in logs["logs"] if line["labels"]["stream"] == name]
        lines = record[name].split("\n")
        unfinished = lines.pop()
        if unfinished and record["status"] in TERMINAL:
            lines.append(unfinished)
        if told != lines:
            counts = f"{len(told)} lines of {name} in the logs, {len(lines)} in the record"
            yield f"{counts}: they end with {told[-1:]} and {lines[-1:]}"
    stamps = [instant(line["timestamp"]) for line in logs["logs"]]
    if stamps != sorted(stamps):
        yield "the logs are not sorted by time"


def read_stream(text: str) -> tuple[str, dict[str, Any] | None]:
    """The output in a stream's events, and its final result if it has come."""
    pieces: list[str] = []
    for event in events_of(text.splitlines()):
        if "output" in event:
            pieces.append(event["output"]["content"])
        else:
            finish: dict[str, Any] = event["jobFinished"]["job"]["result"]
            return "".join(pieces), finish
    return "".join(pieces), None


def events_of(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
