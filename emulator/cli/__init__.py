"""The command `lyceum-emulator`: what it is called with is read here, what it does lies below."""

from __future__ import annotations

import click

from emulator import __version__
from emulator.cli import coverage, scenarios, serve

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lyceum-emulator")
def main() -> None:
    """Stands in for the Lyceum Cloud API on your machine and in CI."""


main.add_command(serve.serve)
main.add_command(coverage.coverage)
main.add_command(scenarios.scenario)
