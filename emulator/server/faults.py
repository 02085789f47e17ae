"""Faults at work: which of them meet a request to the emulated API, and what becomes of its answer."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive

from emulator.contract.operations import Operation
from emulator.faults.answers import Answer
from emulator.faults.effect import ON_LINES, ON_STREAMS, TEARS, Effect
from emulator.faults.fault import Asked
from emulator.faults.standing import Hit, Standing, strike
from emulator.runs.run import Run
from emulator.server.bad_answers import BadStream, DrippingAnswer, NoAnswer, TornAnswer, malformed
from emulator.server.disorder import Disorder
from emulator.server.pausing import pause_while_heard
from emulator.server.reading import Incoming
from emulator.server.responses import json_response
from emulator.server.service import Service
from emulator.tenants.cloud import Cloud
from emulator.tenants.tenant import Tenant


def hit_on(cloud: Cloud, operation: Operation, request: Incoming, caller_key: str) -> Hit | None:
    """What the faults in force do to a request; its caller need not be admitted yet."""
    has_token = "authorization" in request.headers
    execution_id = request.exchange.execution_id
    tenant = cloud.tenants.get(caller_key)
    if tenant is None and not has_token and execution_id is not None and not operation.token_required:
        tenant = cloud.owner_of(execution_id)  # a stream is followed without a token
    run = None if tenant is None or execution_id is None else tenant.find(execution_id)
    status = None if tenant is None or run is None else run.course.status_at(tenant.clock.now_ms())
    asked = Asked(operation.operation_id, (request.path, operation.path), has_token, status)
    return strike(_in_force(cloud, tenant, run), asked)


def _in_force(cloud: Cloud, tenant: Tenant | None, run: Run | None) -> Iterator[tuple[Standing, int]]:
    """The faults that concern a request, the nearest first, each with the time on its clock."""
    if tenant is not None:
        now_ms = tenant.clock.now_ms()
        if run is not None:
            yield from ((standing, now_ms) for standing in tenant.faults_of(run))
        yield from ((standing, now_ms) for standing in tenant.faults)
    now_ms = cloud.clock.now_ms()
    yield from ((standing, now_ms) for standing in cloud.faults)


def refusal_by(hit: Hit) -> Response | None:
    """The answer in place of the operation's; None where that is not refused."""
    if hit.fault is None or not hit.refuses:
        return None
    return NoAnswer() if hit.fault.answer is None else _written_out(hit.fault.answer)


def _written_out(answer: Answer) -> Response:
    response = Response(answer.body, answer.status_code)
    for name, value in answer.headers:
        response.headers[name] = value
    if answer.body:
        response.headers.setdefault("Content-Type", answer.media_type)
    return response


async def spoilt(response: Response, hit: Hit, service: Service, receive: Receive) -> Response:
    """What is sent in place of `response`, once its latency is over."""
    if hit.latency_ms:
        await pause_while_heard(service, hit.latency_ms / 1000, receive)
    fault = hit.fault
    if fault is None or fault.refuses:
        return response
    if fault.answer is not None:
        return _written_out(fault.answer)
    if isinstance(response, StreamingResponse):
        return BadStream(response, hit, fault, service) if fault.effect in ON_STREAMS | ON_LINES else response
    match fault.effect:
        case Effect.RESET:
            return NoAnswer()
        case effect if effect in TEARS:
            return TornAnswer(response, fault)
        case Effect.MALFORMED_JSON:
            return malformed(response)
        case Effect.SLOW_DRIP:
            return DrippingAnswer(response, fault, service)
        case effect if effect in ON_LINES:
            return _with_bad_lines(response, hit, effect)
    return response


def _with_bad_lines(response: Response, hit: Hit, effect: Effect) -> Response:
    """A page of logs some of whose lines come twice, or change places with the next one; `total` stays true."""
    if response.status_code != 200 or not response.body:
        return response
    page = orjson.loads(response.body)
    disorder: Disorder[object] = Disorder(effect, hit.strikes_line)
    lines = [out for line in page["logs"] for out in disorder.put(line)]
    return json_response(page | {"logs": [*lines, *disorder.rest()]})
