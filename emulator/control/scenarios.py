"""Control operations on scenarios and on the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from emulator.control.problems import problem_view, refused
from emulator.control.wire import queue_view
from emulator.errors import Conflict, NotFound, Problem, ScenarioError, TooMany
from emulator.scenario.choice import Queue, QueueEntry
from emulator.scenario.matching import match_from
from emulator.scenario.model import Scenario
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.texts import writable

if TYPE_CHECKING:
    from emulator.scenario.library import Library

SOURCE = "control API"

MAX_ADDED = 1_000
"""So many scenarios can be added at run time: for one tenant, and for everybody."""


def list_scenarios(call: Call) -> Response:
    library = _library(call)
    rows = [
        {
            "name": scenario.name,
            "summary": scenario.summary,
            "source": writable(scenario.source),
            "problems": [problem_view(problem) for problem in library.problems_of(scenario)],
        }
        for scenario in library.scenarios()
    ]
    invalid = [
        {"source": writable(source), "problems": [problem_view(problem) for problem in problems]}
        for source, problems in library.invalid.items()
    ]
    return json_response({"scenarios": rows, "invalid": invalid})


def get_scenario(call: Call) -> Response:
    return _shown(_library(call).get(call.values["name"]))


def put_scenario(call: Call) -> Response:
    """Add a scenario, or replace one that was added before: for the caller's tenant, or for everybody."""
    name: str = call.values["name"]
    from emulator.scenario.library import check_name  # late: brings the whole grammar of scenario files

    wrong_name = check_name(name)
    if wrong_name is not None:
        return refused(call, name[:100], (Problem(wrong_name),))
    if call.cloud.library.has_file(name):
        raise Conflict(f"a file gives the scenario `{name}`: edit that, or choose another name")
    try:
        added = _add(call, _library(call).read(call.body, name=name, source=SOURCE))
    except ScenarioError as error:
        return refused(call, name[:100], error.problems)
    return _shown(added)


def _add(call: Call, scenario: Scenario) -> Scenario:
    others = tuple(each for each in (call.caller or call.cloud.library).added if each.name != scenario.name)
    if len(others) >= MAX_ADDED:
        raise TooMany(f"{MAX_ADDED} scenarios were added at run time, which is the most: remove some first")
    library = _library(call).with_added(scenario)  # raises where it does not fit the others
    if call.caller is None:
        call.cloud.library = library
    else:
        call.cloud.settle(call.caller)
        call.caller.added = (*others, scenario)
    return library.get(scenario.name)


def delete_scenario(call: Call) -> Response:
    """Remove a scenario that was added at run time."""
    name: str = call.values["name"]
    if call.cloud.library.has_file(name):
        raise Conflict(f"a file gives the scenario `{name}`: only those added at run time can be removed")
    if call.caller is None:
        call.cloud.library = call.cloud.library.without_added(name)
    else:
        others = tuple(each for each in call.caller.added if each.name != name)
        if len(others) == len(call.caller.added):
            raise NotFound(f"no scenario `{name[:100]}` was added for this tenant")
        call.caller.added = others
    return json_response({"name": name, "message": "Scenario removed"})


def _library(call: Call) -> Library:
    return call.cloud.library if call.caller is None else call.cloud.library_of(call.caller)


def _shown(scenario: Scenario) -> Response:
    return json_response(
        {
            "name": scenario.name,
            "summary": scenario.summary,
            "source": writable(scenario.source),
            "text": scenario.text,
        }
    )


def get_queue(call: Call) -> Response:
    return json_response(queue_view(_queue(call)))


def enqueue_scenario(call: Call) -> Response:
    wish = call.body
    scenario = _library(call).get(wish["scenario"])
    match = match_from(wish.get("match"))
    if call.caller is not None:
        call.cloud.settle(call.caller)
    queue = _queue(call)
    queue.add(QueueEntry(scenario, int(wish.get("times", 1)), match))
    return json_response(queue_view(queue))


def clear_queue(call: Call) -> Response:
    queue = _queue(call)
    queue.clear()
    return json_response(queue_view(queue))


def _queue(call: Call) -> Queue:
    return (call.caller or call.cloud).queue
