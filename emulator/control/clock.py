"""Control operations on clocks, and the emulator's health."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from starlette.responses import Response

from emulator import __version__
from emulator.clock import Clock, ClockMode, ClockSettings
from emulator.control.wire import clock_view
from emulator.errors import Conflict, NotFound
from emulator.runs.run import Run
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.statuses import RunStatus
from emulator.tenants.tenant import NO_SUCH_RUN
from emulator.times import LATEST_MS, format_instant, parse_duration_ms, parse_instant_ms


def get_health(call: Call) -> Response:
    checked = call.service.self_check
    return json_response(
        {
            "status": "ok",
            "version": __version__,
            "clock": clock_view(call.cloud.clock),
            "self_check": checked and {"breaches": checked.breaches, "last": list(checked.last)},
        }
    )


def get_clock(call: Call) -> Response:
    return json_response(clock_view(_clock(call)))


def first_clock(wish: dict[str, Any]) -> ClockSettings:
    """How a clock begins that a reset gives to whoever begins anew. Raises Conflict outside the years it knows."""
    defaults = ClockSettings()
    now_ms = parse_instant_ms(wish["now"]) if "now" in wish else None
    if now_ms is not None and not 0 <= now_ms <= LATEST_MS:
        raise Conflict(f"a clock begins between {format_instant(0)} and {format_instant(LATEST_MS)}")
    return ClockSettings(
        ClockMode(wish["mode"]),
        float(wish.get("speed", defaults.speed)),
        parse_duration_ms(wish["step"]) or 0 if "step" in wish else defaults.step_ms,
        now_ms,
    )


def set_clock(call: Call) -> Response | Awaitable[Response]:
    change = call.body
    clock = _clock(call)
    clock.set(
        mode=ClockMode(change["mode"]) if "mode" in change else None,
        speed=float(change["speed"]) if "speed" in change else None,
        step_ms=parse_duration_ms(change["step"]) if "step" in change else None,
        now_ms=parse_instant_ms(change["now"]) if "now" in change else None,
    )
    return _moved(call, clock)


def advance_clock(call: Call) -> Response | Awaitable[Response]:
    wish = call.body
    if "until" in wish:
        return _moved(call, _advance_until(call, wish["execution_id"], wish["until"]))
    clock = _clock(call)
    if "by" in wish:
        clock.set(now_ms=clock.now_ms() + (parse_duration_ms(wish["by"]) or 0))
    else:
        clock.set(now_ms=parse_instant_ms(wish["to"]))
    return _moved(call, clock)


def _moved(call: Call, clock: Clock) -> Response | Awaitable[Response]:
    """The answer to whoever moved `clock`: once the callbacks that fell due by that were attempted."""
    answer = json_response(clock_view(clock))
    attempted = call.service.courier.fallen_due(clock)
    return answer if attempted is None else _after(attempted, answer)


async def _after(attempted: Awaitable[None], answer: Response) -> Response:
    await attempted
    return answer


def _clock(call: Call) -> Clock:
    """The clock that the call acts on: the tenant's, or the server's."""
    if call.caller is None:
        return call.cloud.clock
    if call.method not in ("GET", "HEAD"):
        call.cloud.settle(call.caller)
    return call.caller.clock


def _advance_until(call: Call, execution_id: str, until: str) -> Clock:
    """Move the clock that a run lives by to the instant at which it takes a status."""
    owner = call.caller or call.cloud.owner_of(execution_id)
    if owner is None:
        raise NotFound(NO_SUCH_RUN)
    run = owner.get(execution_id)
    now_ms = owner.clock.now_ms()
    at_ms = _reached_ms(run, until)
    if _holds(run.course.status_at(now_ms), until):
        at_ms = now_ms
    if at_ms is None or not now_ms <= at_ms <= LATEST_MS:
        raise Conflict(
            f"the run is {run.course.status_at(now_ms)} at {format_instant(now_ms)}"
            f" and will not become {until}: {_why_not(run, at_ms, now_ms)}"
        )
    # Without a token the call acts on the server, whose clock the tenant may run ahead of.
    moves_server = call.caller is None and owner.clock.follows
    clock = call.cloud.clock if moves_server else owner.clock
    clock.set(now_ms=clock.now_ms() + at_ms - now_ms)
    return clock


def _why_not(run: Run, at_ms: int | None, now_ms: int) -> str:
    """Why a run does not take a status that it takes at `at_ms`, or never, from `now_ms` on."""
    if at_ms is not None:
        return "it is behind it" if at_ms < now_ms else "that is later than any clock can go"
    end = run.course.end
    return "it goes on until it is stopped" if end is None else f"it ends {end.ending.status}"


def _reached_ms(run: Run, until: str) -> int | None:
    if until == "terminal":
        return None if run.course.end is None else run.course.end.at_ms
    return run.course.reached_ms(RunStatus(until))


def _holds(status: RunStatus, until: str) -> bool:
    return status.is_terminal if until == "terminal" else status == until
