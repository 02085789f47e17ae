"""What is wrong with a text that the control API was sent, as it answers it."""

from __future__ import annotations

from starlette.responses import Response

from emulator.errors import Problem
from emulator.server.call import Call
from emulator.server.responses import json_response
from emulator.texts import writable

_MAX_REMARK = 400


def refused(call: Call, shown_as: str, problems: tuple[Problem, ...]) -> Response:
    """The answer to a text that is no scenario or fault: all that is wrong with it, as a compiler tells it.

    The request log, which gives a request a line, tells the first of them and how many more there are.
    """
    told = [writable(problem.located(shown_as)) for problem in problems]
    more = f" (and {len(told) - 1} more in the answer)" if len(told) > 1 else ""
    call.exchange.refusal = f"{told[0][:_MAX_REMARK]}{more}"
    return json_response({"detail": "\n".join(told), "problems": [problem_view(each) for each in problems]}, 400)


def problem_view(problem: Problem) -> dict[str, object]:
    return {
        "message": writable(problem.message),
        "path": writable(problem.path),
        "line": problem.line,
        "column": problem.column,
    }
