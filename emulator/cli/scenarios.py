"""`lyceum-emulator scenario`: write, check and try scenario files without a server."""

from __future__ import annotations

import json
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from emulator.cli.options import Duration, default_scenario_option, refusals, refuse, scenarios_option
from emulator.cli.submitting import submission_of, submission_options

FOUND = 1
"""Exit code of `check` where it found something."""

# What the commands need beyond click is imported by each: `--help` must not wait for YAML, numbers and colours.


@click.group()
def scenario() -> None:
    """Write, check and try scenario files.

    \b
    Exit codes of all these commands:
      0  done
      1  check found errors (with --strict: or warnings)
      2  could not be done: unknown scenario, unreadable or invalid file, wrong option
    """
    if isinstance(sys.stdout, TextIOWrapper):  # what a terminal cannot show is shown escaped, and ends nothing
        sys.stdout.reconfigure(errors="backslashreplace")


as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@scenario.command("list")
@scenarios_option
@as_json_option
def list_scenarios(*, directories: tuple[Path, ...], as_json: bool) -> None:
    """List the scenarios in force, in the order in which they are asked whether they match."""
    from emulator.cli.reading import load_library
    from emulator.cli.views import row

    with refusals():
        rows = [row(each) for each in load_library(directories).scenarios()]
    if as_json:
        _print_json({"scenarios": rows})
        return
    from emulator.cli import drawing

    drawing.show(lambda console: drawing.listing(rows, console))


@scenario.command()
@click.argument("name", metavar="NAME|FILE")
@scenarios_option
@click.option("--resolved", "only_resolved", is_flag=True, help="Print one file with all bases and defaults in it.")
@as_json_option
def show(*, name: str, directories: tuple[Path, ...], only_resolved: bool, as_json: bool) -> None:
    """Print a scenario's text, and as comments what holds without being said in it.

    What is printed is a valid scenario file.
    """
    from emulator.cli.reading import find
    from emulator.cli.views import as_yaml, not_given, resolved, row

    with refusals():
        found, _ = find(name, directories)
    if as_json:
        _print_json(row(found) | {"text": found.text, "resolved": resolved(found)})
    elif only_resolved:
        click.echo(as_yaml(resolved(found)), nl=False)
    else:
        click.echo(found.text.rstrip("\n"))
        click.echo(f"\n# {found.name} ({found.source}). Not said above, and so:")
        for line in not_given(found):
            click.echo(line)


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from emulator.scenario.file.schema import schema_text

    click.echo(schema_text(), nl=False)


@scenario.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@scenarios_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github", "json"]),
    default="text",
    show_default=True,
    help="How to print what is found.",
)
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@click.option("--ignore", "ignored", multiple=True, metavar="RULE", help="Leave out this warning. Repeatable.")
def check(
    *, paths: tuple[Path, ...], directories: tuple[Path, ...], form: str, strict: bool, ignored: tuple[str, ...]
) -> None:
    """Check files and directories: every error, and warnings about what is most likely not meant.

    Without PATH, what --scenarios names is checked. Each warning ends with the name of its rule.

    Exit code 1 if there are errors (with --strict: or warnings), 2 if a path cannot be read.
    """
    from emulator.cli import checking
    from emulator.scenario.file.grammar import listed
    from emulator.scenario.lints import RULES

    unknown = [rule for rule in ignored if rule not in RULES]
    if unknown:
        raise click.UsageError(f"there is no rule {listed(unknown)}: there are {listed(list(RULES), 'and')}")
    if not paths and not directories:
        raise click.UsageError("name a file or directory to check, or set --scenarios")
    with refusals():
        report = checking.check(paths, directories, ignored)
    for line in checking.FORMATS[form](report):
        click.echo(line)
    if report.failed(strict=strict):
        sys.exit(FOUND)


@scenario.command()
@click.argument("name", metavar="[NAME|FILE]", required=False)
@scenarios_option
@default_scenario_option
@submission_options
@click.option("--seed", type=click.IntRange(0), help="Seed of the run.  [default: a new server's first]")
@click.option("--attempt", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Which submission it is.")
@click.option("--stop-at", type=Duration(zero=True), help="Stop the run so long after its submission.")
@click.option("--abort-at", type=Duration(zero=True), help="Abort the run so long after its submission.")
@click.option("--at", type=Duration(zero=True), help="Print the record as it is so long after the submission.")
@click.option(
    "--lines", type=click.IntRange(0), default=12, show_default=True, help="How many lines of output to draw."
)
@as_json_option
def simulate(
    *,
    name: str | None,
    directories: tuple[Path, ...],
    default_scenario: str,
    seed: int | None,
    attempt: int,
    stop_at: int | None,
    abort_at: int | None,
    at: int | None,
    lines: int,
    as_json: bool,
    **submitted: Any,  # noqa: ANN401
) -> None:
    """Draw one run from its submission to its end.

    Without NAME the submission gets its scenario as on a server. --seed takes the `seed` that the control API
    shows for a run, and gives that run again. --at prints what GET /execution/{id} answers then; --json the run
    as both APIs show it at its end, with all of its output.
    """
    from emulator.cli.reading import find, load_library
    from emulator.cli.simulation import Orders
    from emulator.cli.simulation import simulate as simulated

    with refusals():
        library, named = load_library(directories), None
        if name is not None:
            found, library = find(name, directories)
            named = found.name
        simulation = simulated(
            library,
            submission_of(submitted),
            named=named,
            default_scenario=default_scenario,
            seed=seed,
            attempt=attempt,
            orders=Orders(stop_at, abort_at),
        )
    if at is not None:
        _print_json(simulation.record_at(at))
    elif as_json:
        _print_json(simulation.view())
    else:
        from emulator.cli import drawing

        drawing.show(lambda console: drawing.drawn(simulation, console, lines=lines))


@scenario.command()
@click.argument("name", metavar="NAME|FILE")
@scenarios_option
@submission_options
@click.option("--seed", type=click.IntRange(0), help="Seed of the run.  [default: a new server's first]")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; its ending (.svg, .png, .pdf) says how.  [default: NAME.svg]",
)
def plot(*, name: str, directories: tuple[Path, ...], seed: int | None, output: Path | None, **submitted: Any) -> None:  # noqa: ANN401
    """Draw the statuses and the metric series of one run into a picture. Needs matplotlib."""
    from emulator.cli.reading import find
    from emulator.cli.simulation import simulate as simulated

    try:
        from emulator.cli.plotting import plot as draw
    except ModuleNotFoundError as missing:
        refuse(f"{missing.name} is missing: `pip install matplotlib` brings what pictures need")
    with refusals():
        found, library = find(name, directories)
        path = Path(f"{found.name}.svg") if output is None else output
        draw(
            simulated(library, submission_of(submitted), named=found.name, default_scenario=found.name, seed=seed), path
        )
    click.echo(f"wrote {path}")


@scenario.command()
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write it; made if it is missing.  [default: here]",
)
def new(*, name: str, directory: Path) -> None:
    """Write NAME.yaml, a commented scenario to start from, and beside it the schema for editors.

    Nothing is overwritten.
    """
    from emulator.cli.starter import write_starter

    with refusals():
        written = write_starter(name, directory)
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"try it:   lyceum-emulator scenario simulate {written[0]}")
    click.echo(f"serve it: lyceum-emulator serve --scenarios {directory}")


@scenario.command()
@scenarios_option
@default_scenario_option
@submission_options
@as_json_option
def match(*, directories: tuple[Path, ...], default_scenario: str, as_json: bool, **submitted: Any) -> None:  # noqa: ANN401
    """Say which scenario a submission gets and why, and why not the others that have a `match`."""
    from emulator.cli.matching import as_text, matched
    from emulator.cli.reading import load_library

    with refusals():
        result = matched(load_library(directories), submission_of(submitted), default_scenario)
    if as_json:
        _print_json(result.view())
        return
    for line in as_text(result):
        click.echo(line)


def _print_json(value: Any) -> None:  # noqa: ANN401
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
