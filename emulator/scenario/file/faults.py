"""Faults as scenario files and the control API write them: the same keys, the same words, the same mistakes."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from emulator.documents import plain_data, read_document
from emulator.errors import Problem
from emulator.faults.answers import READY_MADE, Answer
from emulator.faults.effect import (
    ERRORS,
    ON_LINES,
    ON_STREAMS,
    READY_MADE_NAMES,
    REFUSALS,
    TEARS,
    Effect,
    concerns,
)
from emulator.faults.fault import Fault
from emulator.faults.latency import Latency
from emulator.scenario.file.answers import ANSWER as ANSWER_FORM
from emulator.scenario.file.durations import Duration
from emulator.scenario.file.grammar import Findings, Schema, Unread, in_order, listed
from emulator.scenario.file.latencies import LATENCY as LATENCY_FORM
from emulator.scenario.file.latencies import Bounded
from emulator.scenario.file.operation_names import OperationName, about_runs
from emulator.scenario.file.quantities import PERCENT, Reading
from emulator.scenario.file.records import Key, ListOf, Record, Values
from emulator.scenario.file.scalars import Choice, Integer, Text, Yes
from emulator.statuses import RunStatus

MAX_COUNT = 1_000_000
MAX_OF_SCENARIO = 50


FAULT: Key[str] = Key(
    "fault",
    Choice(
        [effect.value for effect in READY_MADE_NAMES],
        dict.fromkeys(("429", "rate_limit", "ratelimit", "too_many_requests", "throttled"), "rate-limited")
        | dict.fromkeys(("capacity", "out_of_capacity"), "no-capacity")
        | dict.fromkeys(("500", "error", "internal_error", "internal_server_error"), "server-error")
        | {"502": "bad-gateway", "504": "gateway-timeout", "timeout": "gateway-timeout"}
        | dict.fromkeys(("503", "service_unavailable", "maintenance", "down"), "unavailable")
        | dict.fromkeys(("401", "unauthorized", "expired", "token_expired"), "expired-token")
        | dict.fromkeys(("connection_reset", "rst", "disconnect", "econnreset"), "reset")
        | dict.fromkeys(("truncate", "short_body", "incomplete"), "truncated")
        | dict.fromkeys(("malformed", "bad_json", "invalid_json", "broken_json"), "malformed-json")
        | dict.fromkeys(("drip", "slow", "trickle", "slow_body"), "slow-drip")
        | dict.fromkeys(("cut", "broken_stream"), "stream-cut")
        | dict.fromkeys(("stall", "stalled", "stuck", "hang", "stream_hangs"), "stream-stalled")
        | dict.fromkeys(("malformed_stream", "malformed_events", "bad_events", "stream_bad_json"), "stream-malformed")
        | dict.fromkeys(("duplicate", "duplicates", "duplicated_lines", "duplicate_logs"), "duplicate-lines")
        | dict.fromkeys(("reorder", "reordered", "shuffle", "out_of_order"), "out-of-order-lines"),
    ),
    "What goes wrong, by name.",
    "unavailable",
)
ANSWER: Key[Answer] = Key(
    "answer", ANSWER_FORM, "In place of `fault`: the whole answer, or its status code alone.", {"status": 402}
)
LATENCY: Key[Latency] = Key(
    "latency",
    LATENCY_FORM,
    "How long the answer is held back, on the real clock: with a `fault` or alone; at most a minute.",
    "100ms..400ms",
)
PATH: Key[str] = Key(
    "path",
    Text("a path such as `/api/v2/external/logs/*`", r"/[!-~]{0,499}"),
    "Requests with this path, without their query; shell-style patterns.",
    "/api/v2/external/logs/*",
)
STREAM: Key[bool] = Key("stream", Yes(), "The streams of runs alone.", True)
WHILE: Key[str] = Key(
    "while",
    Choice([status.value for status in RunStatus], {"canceled": "cancelled", "queued": "pending", "run": "running"}),
    "Requests about a run while it has this status.",
    "running",
)
TIMES: Key[int] = Key("times", Integer(1, MAX_COUNT), "How often it strikes; without end if left out.", 2)
SKIP: Key[int] = Key("skip", Integer(0, MAX_COUNT), "So many requests are spared first.", 3)
PROBABILITY: Key[Reading] = Key(
    "probability", PERCENT, "How likely it strikes each request; `100%` if left out.", "20%"
)
SEED: Key[int] = Key(
    "seed",
    Integer(0, 2**53),
    "Draws the same requests every time; follows from the server's or the run's if left out.",
    7,
)
FROM: Key[int] = Key(
    "from", Duration(), "When it begins, after it was added or its run submitted; at once if left out.", "10s"
)
UNTIL: Key[int] = Key("until", Duration(), "When it is over, counted like `from`; never if left out.", "2m")
HANDLED: Key[bool] = Key(
    "handled",
    Yes(),
    "The operation is done all the same, and only its answer is lost; for faults that refuse.",
    True,
)
RETRY_AFTER: Key[int] = Key(
    "retry_after", Duration(), "The header `Retry-After` of a `fault` that answers an error, in whole seconds.", "2s"
)
AFTER_BYTES: Key[int] = Key(
    "after_bytes",
    Integer(0, 2**31),
    "Where `truncated` and `reset-in-body` break the body; in its middle if left out.",
    100,
)
AFTER_EVENTS: Key[int] = Key(
    "after_events", Integer(0, MAX_COUNT), "After how many events a stream goes wrong; 1 if left out.", 3
)
OVER: Key[int] = Key("over", Bounded(), "How long `slow-drip` takes for the body; `5s` if left out.", "5s")
SHARE: Key[Reading] = Key(
    "share",
    PERCENT,
    "How many of the lines are duplicated or change places, or how many events are malformed; `100%` if left out.",
    "20%",
)

_WHERE = (PATH, STREAM)
_WHEN: tuple[Key[Any], ...] = (WHILE, TIMES, SKIP, PROBABILITY, FROM, UNTIL, SEED)
_PARAMETERS: tuple[tuple[Key[Any], frozenset[Effect]], ...] = (
    (RETRY_AFTER, ERRORS),
    (AFTER_BYTES, TEARS),
    (AFTER_EVENTS, ON_STREAMS),
    (OVER, frozenset({Effect.SLOW_DRIP})),
    (SHARE, ON_LINES | {Effect.STREAM_MALFORMED}),
)
"""The faults that each parameter belongs to."""

_CONCERNS = dict.fromkeys(ON_STREAMS, "is for streams alone") | dict.fromkeys(ON_LINES, "is for streams and logs alone")
_OF_AN_ANSWER = frozenset({"status", "status_code", "headers", "body"})


def _effect(values: Values) -> Effect:
    if FAULT in values:
        return Effect(values[FAULT])
    return Effect.ANSWER if ANSWER in values else Effect.LATENCY


def _check(operation: Key[str]) -> Callable[[Values, Findings], None]:
    def check(values: Values, findings: Findings) -> None:
        _check_effect(values, findings)
        _check_place(operation, values, findings)
        if UNTIL in values and values[UNTIL] <= values.get(FROM, 0):
            message = "must be longer than `0s`" if FROM not in values else "`until` does not come after `from`"
            findings.note(values.entry(UNTIL).value, f"{values.path}.until".lstrip("."), message, beyond_schema=True)

    return check


def _check_effect(values: Values, findings: Findings) -> None:
    """One effect or a latency, and only the parameters that go with it."""
    if not any(values.tried(key) for key in (FAULT, ANSWER, LATENCY)) and not values.failed & _OF_AN_ANSWER:
        written = listed([key.written() for key in (FAULT, ANSWER, LATENCY)])
        findings.note(values.node, values.path, f"nothing says what goes wrong: write {written}")
    if values.tried(FAULT) and values.tried(ANSWER):
        findings.note(values.node, values.path, "`fault` and `answer` in one entry: give each an entry of its own")
    if values.tried(FAULT) and FAULT not in values:
        return
    effect = _effect(values)
    for key, effects in (*_PARAMETERS, (HANDLED, REFUSALS)):
        if key in values and effect not in effects and not (key is HANDLED and values.tried(ANSWER)):
            names = [each.value for each in Effect if each in effects]
            whose = "a fault that refuses, such as `unavailable` or `reset`" if key is HANDLED else listed(names)
            message = f"`{key.name}` goes with {whose}"
            findings.note(values.entry(key), f"{values.path}.{key.name}".lstrip("."), message)


def _check_place(operation: Key[str], values: Values, findings: Findings) -> None:
    """One place, at which the effect can be."""
    given = [key for key in (operation, *_WHERE) if values.tried(key)]
    if len(given) > 1:
        both = listed([key.name for key in given], "and")
        findings.note(values.node, values.path, f"{both} in one entry: give each an entry of its own")
    if values.tried(FAULT) and FAULT not in values:
        return
    effect, names = _effect(values), list(about_runs())
    if operation in values:
        names = [name for name in names if fnmatchcase(name, values[operation])]
    elif STREAM in values:
        names = [name for name in names if name.startswith("stream_output")]
    if not any(concerns(effect, name) for name in names):
        message = f"`{effect.value}` {_CONCERNS.get(effect, 'is for answers other than streams')}"
        findings.note(values.entry(FAULT).value, f"{values.path}.fault".lstrip("."), message, beyond_schema=True)


def _build(operation: Key[str]) -> Callable[[Values, Findings], Fault]:
    def build(values: Values, findings: Findings) -> Fault:
        effect = _effect(values)
        answer = values.get(ANSWER, READY_MADE.get(effect))
        if answer is not None and RETRY_AFTER in values:
            answer = answer.with_header("Retry-After", str(-(-values[RETRY_AFTER] // 1000)))
        return Fault(
            effect=effect,
            answer=answer,
            operation=values.get(operation, None),
            path=values.get(PATH, None),
            streams=values.get(STREAM, False),
            run_status=RunStatus(values[WHILE]) if WHILE in values else None,
            times=values.get(TIMES, None),
            skip=values.get(SKIP, 0),
            probability=values[PROBABILITY].value / 100.0 if PROBABILITY in values else 1.0,
            seed=values.get(SEED, None),
            from_ms=values.get(FROM, 0),
            until_ms=values.get(UNTIL, None),
            latency=values.get(LATENCY, None),
            handled=values.get(HANDLED, False),
            after_bytes=values.get(AFTER_BYTES, None),
            after_events=values.get(AFTER_EVENTS, 1),
            over_ms=values.get(OVER, 5_000),
            share=values[SHARE].value / 100.0 if SHARE in values else 1.0,
            given=plain_data(values.node),
        )

    return build


def _only_with(name: str, schema: Schema) -> Schema:
    return {"if": {"required": [name]}, "then": schema}


def _one_of_faults(effects: frozenset[Effect]) -> Schema:
    names = [effect.value for effect in READY_MADE_NAMES if effect in effects]
    described = {"description": "Those that it goes with.", "enum": names}
    return {"required": [FAULT.name], "properties": {FAULT.name: described}}


_CONSTRAINT: Schema = {
    "anyOf": [{"required": [key.name]} for key in (FAULT, ANSWER, LATENCY)],
    "allOf": [
        {"not": {"required": [FAULT.name, ANSWER.name]}},
        {"not": {"required": ["operation", PATH.name]}},
        {"not": {"required": ["operation", STREAM.name]}},
        {"not": {"required": [PATH.name, STREAM.name]}},
        *(_only_with(key.name, _one_of_faults(effects)) for key, effects in _PARAMETERS),
        _only_with(HANDLED.name, {"anyOf": [{"required": [ANSWER.name]}, _one_of_faults(REFUSALS)]}),
    ],
}


def fault_record(*, of_run: bool) -> Record[Fault]:
    """The form of one fault; `of_run`: of a scenario, whose faults meet requests about its run alone."""
    operation: Key[str] = Key(
        "operation",
        OperationName(of_run),
        "Requests of this operation of the contract (openapi.yaml); shell-style patterns.",
        "get_execution",
    )
    return Record(
        "a fault such as `{fault: unavailable, times: 2}`",
        (FAULT, ANSWER, LATENCY, operation, *_WHERE, *_WHEN, HANDLED, *(key for key, _ in _PARAMETERS)),
        _build(operation),
        _check(operation),
        _CONSTRAINT,
        synonyms=dict.fromkeys(("kind", "type", "effect", "error", "name", "connection"), "fault")
        | dict.fromkeys(("response", "respond", "reply"), "answer")
        | dict.fromkeys(("delay", "slow", "wait"), "latency")
        | dict.fromkeys(("operation_id", "call", "endpoint", "on"), "operation")
        | dict.fromkeys(("url", "route"), "path")
        | dict.fromkeys(("count", "repeat", "limit", "max"), "times")
        | dict.fromkeys(("chance", "rate", "percent"), "probability")
        | dict.fromkeys(("after", "since", "start"), "from")
        | dict.fromkeys(("to", "end", "before"), "until")
        | dict.fromkeys(("events", "lines"), "after_events")
        | {"bytes": "after_bytes", "when": "while", "run_status": "while", "pass": "skip", "duration": "over"},
        strangers={
            "status": "`status` goes into `answer`: write `answer: 503`, or `answer: {status: 503}`",
            "status_code": "`status` goes into `answer`: write `answer: 503`, or `answer: {status: 503}`",
            "headers": "`headers` goes into `answer`, beside its `status`",
            "body": "`body` goes into `answer`, beside its `status`",
            "method": "write `operation` in place of a method and a path: an operation has both",
            "tenant": "a fault added with a token is that token's tenant's, and one added without for all",
            "for": "write `until`, which counts from the same moment as `from`",
        },
    )


OF_RUN = fault_record(of_run=True)
ANYWHERE = fault_record(of_run=False)
FAULTS: ListOf[Fault] = ListOf(OF_RUN, "a list of faults, such as `- {fault: unavailable, times: 2}`", MAX_OF_SCENARIO)


def read_fault(text: str) -> tuple[Fault | None, tuple[Problem, ...]]:
    """The fault that `text` (YAML or JSON) describes, as `POST /_emulator/faults` takes it, or all that is wrong."""
    document = read_document(text)
    if document.root is None:
        empty = Problem(f"the body is empty: expected {ANYWHERE.words}")
        return None, document.problems or (empty,)
    findings = Findings()
    try:
        return ANYWHERE.read(document.root, "", findings), document.problems
    except Unread:
        return None, in_order((*document.problems, *findings.problems()))
