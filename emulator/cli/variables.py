"""Environment variables that look like options of the commands and are none: slips of the pen, most likely."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import click

from emulator.cli.options import VARIABLE_PREFIX

_LINKS = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT_[0-9]+_(TCP|UDP|SCTP)(_\w+)?")
"""What Kubernetes and Docker tell every container of a service that is called lyceum-emulator."""

_MAX_NAME = 200
_MAX_TOLD = 20


def unread_variables(root: click.Command, environment: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable of ours that neither `root` nor a command below it reads. Values are not told."""
    ours = [name for name in environment if name.startswith(VARIABLE_PREFIX)]
    if not ours:
        return
    known = {name.removeprefix(VARIABLE_PREFIX): name for name in _read_by(root)}
    for name in sorted(ours)[:_MAX_TOLD]:
        option = name.removeprefix(VARIABLE_PREFIX)  # what all begin with would make each name like every other
        if option in known or _LINKS.fullmatch(option):
            continue
        from difflib import get_close_matches  # late: only mistakes need it

        near = get_close_matches(option[:_MAX_NAME], sorted(known), n=1)
        hint = f"; did you mean {known[near[0]]}?" if near else ""
        yield f"no command reads the variable {name[:_MAX_NAME]}{hint}"


def _read_by(command: click.Command) -> Iterator[str]:
    """The variables that set options of a command, or of one below it."""
    for parameter in command.params:
        names = parameter.envvar or ()
        yield from (names,) if isinstance(names, str) else names
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from _read_by(below)
