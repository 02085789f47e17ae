"""Control operations on scenarios and on the queue."""

from __future__ import annotations

from types import MappingProxyType

from starlette.responses import Response

from emulator.control.wire import queue_view
from emulator.scenario.choice import Queue, QueueEntry
from emulator.scenario.model import Match
from emulator.server.call import Call
from emulator.server.responses import json_response


def list_scenarios(call: Call) -> Response:
    rows = [
        {"name": scenario.name, "summary": scenario.summary, "source": scenario.source}
        for scenario in call.cloud.library.scenarios()
    ]
    return json_response({"scenarios": rows})


def get_scenario(call: Call) -> Response:
    scenario = call.cloud.library.get(call.values["name"])
    return json_response(
        {
            "name": scenario.name,
            "summary": scenario.summary,
            "source": scenario.source,
            "text": scenario.text,
        }
    )


def get_queue(call: Call) -> Response:
    return json_response(queue_view(_queue(call)))


def enqueue_scenario(call: Call) -> Response:
    wish = call.body
    scenario = call.cloud.library.get(wish["scenario"])
    if call.caller is not None:
        call.cloud.settle(call.caller)
    queue = _queue(call)
    queue.add(QueueEntry(scenario, int(wish.get("times", 1)), _match(wish.get("match"))))
    return json_response(queue_view(queue))


def clear_queue(call: Call) -> Response:
    queue = _queue(call)
    queue.clear()
    return json_response(queue_view(queue))


def _queue(call: Call) -> Queue:
    return (call.caller or call.cloud).queue


def _match(given: dict[str, object] | None) -> Match | None:
    if given is None:
        return None
    frozen = {
        name: tuple(value) if isinstance(value, list) else MappingProxyType(value) if isinstance(value, dict) else value
        for name, value in given.items()
    }
    return Match(**frozen)  # type: ignore[arg-type]  # the contract checked every value
