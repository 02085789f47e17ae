"""The command `lyceum-emulator`: what it is called with is read here, what it does lies below."""

from __future__ import annotations

import os

import click

from emulator import __version__
from emulator.cli import coverage, scenarios, serve
from emulator.cli.variables import unread_variables

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lyceum-emulator")
@click.pass_context
def main(context: click.Context) -> None:
    """Stands in for the Lyceum Cloud API on your machine and in CI."""
    if context.invoked_subcommand != serve.serve.name:  # which tells them in its log, in the form that is asked for
        for told in unread_variables(main, os.environ):
            click.echo(f"lyceum-emulator: {told}", err=True)


main.add_command(serve.serve)
main.add_command(coverage.coverage)
main.add_command(scenarios.scenario)
