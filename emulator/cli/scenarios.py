"""`lyceum-emulator scenario`."""

from __future__ import annotations

import click


@click.group()
def scenario() -> None:
    """Write, check and try scenario files."""
