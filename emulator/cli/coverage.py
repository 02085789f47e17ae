"""`lyceum-emulator coverage`: what a session has tried of a running emulator, as a table."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from emulator.cli.options import option, refuse
from emulator.server.settings import DEFAULT_HOST, DEFAULT_PORT

PATIENCE_S = 10.0
BELOW = 1
"""Exit code where less was tried than was wanted."""


@click.command()
@option("--url", default=f"http://{DEFAULT_HOST}:{DEFAULT_PORT}", show_default=True, help="Where the emulator is.")
@option("--control-token", help="What its control API asks for, if it does.")
@click.option("--json", "as_json", is_flag=True, help="Print what the control API answers.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    default=0.0,
    metavar="PERCENT",
    help="Exit with 1 if a smaller part of the documented answers was tried.",
)
def coverage(*, url: str, control_token: str | None, as_json: bool, fail_under: float) -> None:
    """Show which operations, status codes, run statuses and scenarios were tried on a running emulator."""
    found = _ask(url, control_token)
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(lines_of(found)))
    if percent_of(found) < fail_under:
        sys.exit(BELOW)


def percent_of(found: dict[str, Any]) -> float:
    answers = found["answers"]
    return 100 * float(answers["tried"]) / max(1, int(answers["documented"]))


def lines_of(found: dict[str, Any]) -> list[str]:
    """The table: an operation a line with the codes that it answered, then those that it did not."""
    rows = found["operations"]
    width = max((len(row["operation_id"]) for row in rows), default=0)
    lines = []
    for row in rows:
        tried = "  ".join(f"{code}: {count}" for code, count in row["answers"].items() if count)
        untried = " ".join(code for code, count in row["answers"].items() if not count)
        told = tried or (f"only faults: {row['faults']}" if row["faults"] else "never called")
        lines.append(f"{row['operation_id']:<{width}}  {told}{f'  (not {untried})' if untried else ''}")
    answers = found["answers"]
    lines += ["", f"answers: {answers['tried']} of {answers['documented']} documented ({percent_of(found):.0f} %)"]
    for name in ("statuses", "transitions", "scenarios"):
        tried, untried = found[name]["tried"], found[name]["untried"]
        lines.append(f"{name}: {', '.join(tried) or 'none'}")
        if untried:
            lines.append(f"  untried: {', '.join(untried)}")
    return lines


def _ask(url: str, control_token: str | None) -> dict[str, Any]:
    import httpx2  # late: the other commands do without

    headers = {} if control_token is None else {"X-Emulator-Token": control_token}
    try:
        answer = httpx2.get(f"{url.rstrip('/')}/_emulator/coverage", headers=headers, timeout=PATIENCE_S)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        refuse(f"no emulator answers at {url}: {error}")
    if answer.status_code == 401:
        refuse(f"the emulator at {url} wants its control token: give the right one with --control-token")
    if answer.status_code != 200:
        refuse(f"{url} answers {answer.status_code}: {answer.text[:200]}")
    try:
        found: dict[str, Any] = answer.json()
    except ValueError:
        refuse(f"what answers at {url} is no emulator")
    return found
