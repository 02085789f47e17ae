"""Python's garbage collector in a server that keeps much: its pauses must not grow with what is kept."""

from __future__ import annotations

import gc
from typing import Any

_WHOLE_EVERY = 100
"""One of so many full collections looks at everything again, for cycles that were frozen while they were in use."""


class ShortCollections:
    """Lets a full collection look only at what came since the last one.

    Otherwise it goes through every container there is: with 100,000 runs it stops the server for a third of a second.
    What is stored goes by reference counts; only cycles need the collector, and nearly all of those are young. So the
    survivors of each full collection are frozen, which takes no time.
    """

    def __init__(self) -> None:
        self._count = 0

    def begin(self) -> None:
        """From now on; best before most is imported, which would be looked at several times otherwise."""
        gc.freeze()
        gc.callbacks.append(self._around)

    def end(self) -> None:
        gc.callbacks.remove(self._around)
        gc.unfreeze()

    def _around(self, phase: str, info: dict[str, Any]) -> None:
        if info["generation"] != 2:
            return
        if phase == "start":
            self._count += 1
            if self._count % _WHOLE_EVERY == 0:
                gc.unfreeze()
        else:
            gc.freeze()
