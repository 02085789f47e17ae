"""Lists and runs as a terminal shows them. Everything that comes from a file is text here, never markup."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from emulator.cli.simulation import Simulation
from emulator.hardware.profiles import find_profile
from emulator.runs.billing import billed_usd
from emulator.runs.failure import system_error, user_error
from emulator.runs.lifecycle import Cause
from emulator.runs.output import LogLine
from emulator.runs.selection import profiled, recommendation, total_usd
from emulator.scenario.choice import Rule
from emulator.scenario.model import TimeLimit
from emulator.scenario.output import OutputStream
from emulator.scenario.submission import Kind
from emulator.statuses import RunStatus
from emulator.times import format_duration, format_instant

_PIPED_WIDTH = 160
_WIDE = 120
_WIDEST_BAR = 100
_FILLS = {RunStatus.PENDING: "░.", RunStatus.STARTING: "▒-", RunStatus.RUNNING: "█#"}
_COLOURS = {
    RunStatus.PENDING: "bright_black",
    RunStatus.STARTING: "yellow",
    RunStatus.RUNNING: "blue",
    RunStatus.COMPLETED: "green",
    RunStatus.FAILED: "red",
    RunStatus.SYSTEM_FAILURE: "red",
    RunStatus.CANCELLED: "magenta",
    RunStatus.ABORTED: "magenta",
}
_CAUSES = {
    Cause.SCRIPT: "as its timeline says",
    Cause.TIME_LIMIT: "cut by the client's time limit",
    Cause.MISSING_VARIABLE: "for lack of an environment variable",
    Cause.ABORT: "aborted",
    Cause.STOP: "stopped",
}


def show(drawing: Callable[[Console], RenderableType]) -> None:
    """Print what `drawing` makes for this terminal.

    What is piped is given width, so that lines stay whole for other programs, and no blanks at their ends.
    """
    piped = not sys.stdout.isatty()
    width = _PIPED_WIDTH if piped and "COLUMNS" not in os.environ else None
    console = Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
    if not piped:
        console.print(drawing(console))
        return
    with console.capture() as captured:
        console.print(drawing(console))
    click.echo("\n".join(line.rstrip() for line in captured.get().split("\n")), nl=False)


def listing(rows: Sequence[dict[str, Any]], console: Console) -> RenderableType:
    """The rows of `views.row`; a narrow terminal gets no more of them than fits beside the summary."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    names = ("name", "lasts", "ends", "summary", "source")
    shown = [name for name in names if console.width >= _WIDE or name not in ("lasts", "ends")]
    for name in shown:
        table.add_column(name.upper(), no_wrap=name == "name", overflow="fold")
    for row in rows:
        texts = (", ".join(row[name]) if isinstance(row[name], list) else row[name] for name in shown)
        table.add_row(*map(Text, texts))
    return table


def drawn(simulation: Simulation, console: Console, *, lines: int) -> RenderableType:
    """A whole run: where it spends its time, what it prints (at most `lines`), how it ends, what it costs."""
    output = _output(simulation, console, most=lines)
    blank = Text("")
    children = [blank, _children(simulation)] if simulation.run.children else []
    return Group(
        *(_heading(simulation), blank, _timeline(simulation, console), *children),
        *(blank, *output, blank, *_ending(simulation)),
    )


def _heading(simulation: Simulation) -> Text:
    run = simulation.run
    scenario = run.script.scenario
    limited = run.children[0].script.scenario if run.children else scenario
    seconds = format_duration(run.submission.timeout_s * 1000)
    limit = f"time limit {seconds}{' (ignored)' if limited.time_limit is TimeLimit.IGNORE else ''}"
    text = Text.assemble((scenario.name, "bold"), f"  {scenario.source}\n{scenario.summary}\n")
    seed = f"seed {run.seed}" if scenario.seed is None else f"seed {run.seed} (the scenario draws from its own)"
    text.append(f"{run.submission.kind} on {run.hardware}, {limit}, {seed}", "bright_black")
    chosen = "" if run.chosen_by.rule is Rule.NAME else f"chosen by {run.chosen_by.rule}: {run.chosen_by.detail}"
    for explanation in filter(None, (chosen, _lineage(scenario.bases), str(run.picked))):
        text.append(f"\n{explanation}", "bright_black")
    return text


def _lineage(bases: Sequence[str]) -> str:
    return f"extends {', which extends '.join(bases)}" if bases else ""


def _timeline(simulation: Simulation, console: Console) -> RenderableType:
    """The stages as one bar, and a row for each with its instants."""
    run, plain = simulation.run, console.options.ascii_only
    stages = [(stage, (simulation.until_ms if stage.ends_ms is None else stage.ends_ms)) for stage in run.course.stages]
    widths = shares([ends_ms - stage.starts_ms for stage, ends_ms in stages], min(console.width - 2, _WIDEST_BAR))
    bar, table = Text(), Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="bright_black")
    for column in ("", "status", "after", "lasts", "at"):
        table.add_column(column, justify="right" if column in ("after", "lasts") else "left", no_wrap=True)
    for (stage, ends_ms), width in zip(stages, widths, strict=True):
        fill, colour = _FILLS[stage.status][plain], _COLOURS[stage.status]
        bar.append(fill * width, colour)
        after = format_duration(stage.starts_ms - run.submitted_ms)
        lasts = "until stopped" if stage.ends_ms is None else format_duration(ends_ms - stage.starts_ms)
        table.add_row(Text(fill, colour), stage.status, after, lasts, format_instant(stage.starts_ms))
    end = run.course.end
    if end is None:
        bar.append(">" if plain else "→")
    else:
        status = end.ending.status
        after = format_duration(end.at_ms - run.submitted_ms)
        table.add_row(
            Text("|" if plain else "●", _COLOURS[status]),
            Text(status, _COLOURS[status]),
            after,
            "",
            format_instant(end.at_ms),
        )
    return Group(bar, table)


def _children(simulation: Simulation) -> RenderableType:
    """The runs of a GPU selection, a row for each, and which of their profiles come out best."""
    run = simulation.run
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="bright_black")
    for column in ("profile", "speed", "running after", "took", "cost", "status"):
        table.add_column(column, justify="left" if column in ("profile", "status") else "right", no_wrap=True)
    results = {result.child.execution_id: result for result in profiled(run, simulation.until_ms)}
    chosen = recommendation(list(results.values()))
    for child in run.children:
        running_ms, end = child.course.started_ms(RunStatus.RUNNING), child.course.end
        result = results.get(child.execution_id)
        seconds, cost_usd = (None, None) if result is None else (result.seconds, result.cost_usd)
        status = child.course.status_at(simulation.until_ms)
        words = [str(status)] if end is None or not end.ending.error else [f"{status}: {printable(end.ending.error)}"]
        words += [word for word in ("best", "fastest", "cheapest") if getattr(chosen, word, None) == child.hardware]
        table.add_row(
            child.hardware,
            f"{child.speed:g}",
            "" if running_ms is None else format_duration(running_ms - run.submitted_ms),
            "" if seconds is None else format_duration(round(seconds * 1000)),
            "" if cost_usd is None else f"${cost_usd:.6f}",
            Text(", ".join(words), _COLOURS[status]),
        )
    return table


def shares(lengths: Sequence[int], width: int) -> list[int]:
    """`width` cells in proportion to `lengths`, at least one for each that is not 0."""
    shown = [length for length in lengths if length]
    free, total = max(0, width - len(shown)), sum(shown)
    upto, cells, shares = 0, 0, []
    for length in lengths:
        upto += length
        reached = free * upto // total if total else 0
        shares.append(reached - cells + (length > 0))
        cells = reached
    return shares


def _output(simulation: Simulation, console: Console, *, most: int) -> list[RenderableType]:
    """The first and the last lines, with their times since the submission and since the start of running."""
    lines, until = simulation.lines(), "" if simulation.run.course.end else f" in the first {_spent(simulation)}"
    count = {0: "none", 1: "1 line"}.get(len(lines), f"{len(lines)} lines")
    heading = Text.assemble(("Output", "bold"), f"  {count}{until}")
    if not lines or not most:
        return [heading]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bright_black")
    for column in ("after", "running"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("", no_wrap=True, overflow="ellipsis")
    dots = "..." if console.options.ascii_only else "…"
    left_out = max(0, len(lines) - most)
    tail = most // 3 if left_out else 0
    for line in lines[: min(most, len(lines)) - tail]:
        table.add_row(*_line(line, simulation))
    if left_out:
        table.add_row("", "", "", Text(f"{dots} {left_out} more", "bright_black"))
    for line in lines[len(lines) - tail :]:
        table.add_row(*_line(line, simulation))
    return [heading, table]


def _line(line: LogLine, simulation: Simulation) -> tuple[RenderableType, ...]:
    run = simulation.run
    running_ms = run.course.started_ms(RunStatus.RUNNING) or run.submitted_ms
    stream = Text("err", "red") if line.stream is OutputStream.STDERR else Text("out", "bright_black")
    after, running = (format_duration(line.at_ms - since_ms) for since_ms in (run.submitted_ms, running_ms))
    return after, f"+{running}", stream, Text(printable(line.message))


def printable(text: str) -> str:
    """`text` without what would move the cursor or hide the rest."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _ending(simulation: Simulation) -> list[RenderableType]:
    run, end = simulation.run, simulation.run.course.end
    ending = Text.assemble(("Ending", "bold"), "  ")
    details: list[RenderableType] = []
    if end is None:
        ending.append("none: the run goes on until somebody stops it")
    else:
        ending.append(end.ending.status, _COLOURS[end.ending.status])
        if end.ending.return_code is not None:
            ending.append(f", return code {end.ending.return_code}")
        ending.append(f", {_CAUSES.get(end.cause, end.cause)}", "bright_black")
        error = system_error(run, end) or user_error(end)
        details += [] if error is None else [_indented(f"error: {printable(error)}")]
        details += (
            []
            if end.ending.result is None
            else [_indented(f"result: {json.dumps(end.ending.result, ensure_ascii=False)}")]
        )
    return [ending, *details, _billing(simulation)]


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 8))


def _billing(simulation: Simulation) -> Text:
    run, profile = simulation.run, find_profile(simulation.run.hardware)
    assigned_ms = run.course.started_ms(RunStatus.STARTING)
    if run.submission.kind is Kind.GPU_SELECTION:
        usd = total_usd(run, simulation.until_ms)
        return Text.assemble(("Billing", "bold"), f" ${usd:.6f}", ("  for all profiles together", "bright_black"))
    text = Text.assemble(("Billing", "bold"), f" ${billed_usd(run, simulation.until_ms):.6f}")
    if assigned_ms is None or profile is None:
        return text.append("  no machine was assigned", "bright_black")
    busy = format_duration(simulation.until_ms - assigned_ms)
    price = f"for {busy} of {profile.name} at ${profile.price_per_hour:g} an hour"
    return text.append(f"  {price}{'' if run.course.end else ', and it goes on'}", "bright_black")


def _spent(simulation: Simulation) -> str:
    return format_duration(simulation.until_ms - simulation.run.submitted_ms)
