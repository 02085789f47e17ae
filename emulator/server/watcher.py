"""Edited scenario files take effect while the server runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from emulator.errors import StartError
from emulator.tenants.cloud import Cloud

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
        """Take over the files as they are. Logs what is new: each file that became invalid once, not each time."""
        before = self._cloud.library
        try:
            library = before.reloaded(self._directories)
        except StartError as error:
            log.warning("the scenarios in force stay as they are: %s", error)
            return
        self._cloud.library = library
        for source, problems in library.broken.items():
            if before.broken.get(source) != problems:
                told = "\n".join(problem.located(source) for problem in problems)
                log.warning("its last valid version stays in force:\n%s", told)
        for source in before.broken.keys() - library.broken.keys():
            log.warning("%s is valid again", source)
