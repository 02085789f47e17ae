"""The page that stands in for a notebook: the real one is at a host name that leads nowhere from here."""

from __future__ import annotations

from html import escape

from starlette.responses import Response

from emulator.errors import NotFound
from emulator.runs.run import Run
from emulator.server.call import Call
from emulator.statuses import RunStatus
from emulator.times import format_instant

NO_SUCH_NOTEBOOK = "Notebook not found"

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the id, and the id is the capability
    "X-Content-Type-Options": "nosniff",
}


def page_path(run: Run) -> str | None:
    """Where the page of a notebook is on the emulator; None for other runs."""
    return f"/_emulator/notebooks/{run.execution_id}/" if run.submission.is_notebook else None


def get_notebook_page(call: Call) -> Response:
    # Nothing says who asks: a browser that follows a link sends no token.
    owner = call.cloud.owner_of(call.execution_id)
    run = None if owner is None else owner.find(call.execution_id)
    if owner is None or run is None or not run.submission.is_notebook:
        raise NotFound(NO_SUCH_NOTEBOOK)
    status = run.course.status_at(owner.clock.now_ms())
    if status is RunStatus.RUNNING:
        status_code, sentence = 200, "This notebook is running. On the real service Jupyter would answer here."
    elif status.is_terminal:
        status_code, sentence = 410, "This notebook has ended. On the real service nothing would answer here any more."
    else:
        status_code, sentence = 409, "This notebook is not running yet. Load the page again once it is."
    return Response(_page(run, status, sentence), status_code, _HEADERS, "text/html")


def _page(run: Run, status: RunStatus, sentence: str) -> str:
    # Not the command: the notebook's token is in it.
    facts = {
        "Execution": run.execution_id,
        "Name": run.submission.run_name or "none",
        "Status": status.value,
        "Image": run.submission.image or "none",
        "Machine": run.hardware,
        "Submitted": format_instant(run.submitted_ms),
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>\n" for name, fact in facts.items())
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Emulated notebook</title></head>\n'
        f"<body>\n<h1>Emulated notebook</h1>\n<p>{escape(sentence)}</p>\n<dl>\n{rows}</dl>\n</body>\n</html>\n"
    )
