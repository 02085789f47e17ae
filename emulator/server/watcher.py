"""Edited scenario files take effect while the server runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.errors import StartError
from emulator.tenants.cloud import Cloud

if TYPE_CHECKING:
    from emulator.scenario.library import Library

log = logging.getLogger(__name__)

_DEBOUNCE_MS = 100
"""An editor writes a file in several steps: what changes within so short a time is read once."""


class Watcher:
    """Reads the scenario directories anew whenever a file in them changes."""

    def __init__(self, cloud: Cloud, directories: Sequence[Path]) -> None:
        self._cloud = cloud
        self._directories = tuple(directories)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._directories:
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _watch(self) -> None:
        from watchfiles import awatch  # late: most servers have no directory of their own

        async for _ in awatch(*self._directories, debounce=_DEBOUNCE_MS, recursive=False):
            self.reload()

    def reload(self) -> None:
        """Take over the files as they are. Logs what is new: each file that became invalid once, not each time.

        All of it are warnings, so that whoever edits a file hears of it at the usual level.
        """
        before = self._cloud.library
        try:
            library = before.reloaded(self._directories)
        except StartError as error:
            log.warning("the scenarios in force stay as they are: %s", error)
            return
        self._cloud.library = library
        _tell(before, library)


def _tell(before: Library, library: Library) -> None:
    """Log what became of each file between two libraries."""
    then, now, never_valid = before.files(), library.files(), library.invalid
    for source, problems in library.broken.items():
        if before.broken.get(source) != problems:
            told = "\n".join(problem.located(source) for problem in problems)
            stands = "its last valid version stays in force"
            if source in never_valid:
                stands = "it never was valid, so nothing of it is in force"
            log.warning("%s:\n%s", stands, told)
    for source in sorted(before.broken.keys() - library.broken.keys()):
        if source in then and source in now:
            log.warning("%s is valid again", source)
    for source in sorted((then.keys() | before.refused.keys()) - now.keys() - library.refused.keys()):
        log.warning("%s is gone", source)
    for source, scenario in now.items():
        if source not in then or (then[source] is not scenario and source not in before.broken):
            log.warning("%s took effect", source)
