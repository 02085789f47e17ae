"""The built-in scenarios before anybody asked for one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from emulator.scenario.library import Library


class UnreadLibrary(Struct, frozen=True):
    """Only the names are known. Reading the files takes longer than all the rest of a start, and so does importing
    what reads them; a server whose user has no scenarios of their own begins with this.
    """

    directory: Path
    names: tuple[str, ...]

    def read(self) -> Library:
        """Raises InvalidScenarios."""
        from emulator.scenario.library import Library

        return Library.load(built_in=self.directory)


def unread(directory: Path) -> UnreadLibrary:
    """What `directory` holds, by the names of the files."""
    return UnreadLibrary(directory, tuple(sorted(path.stem for path in directory.glob("*.yaml"))))
