"""The scenarios that a test gives its tenant."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

if TYPE_CHECKING:
    from emulator.embedded.lyceum import Lyceum

__tracebackhide__ = True

ScenarioLike: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]
"""The name of a scenario, the path of a file, YAML text, or what such a file says."""

ALWAYS = 1_000_000
"""So many submissions take an entry of the queue at most."""

_YAML_ENDINGS = (".yaml", ".yml")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


def added_scenario(owner: Lyceum, scenario: ScenarioLike) -> str:
    """Add what is no mere name to the tenant's scenarios. Returns the name.

    Raises ControlRefused with every mistake in it, OSError for a file that cannot be read.
    """
    if isinstance(scenario, Mapping):
        return _put(owner, "inline", json.dumps(scenario))
    if isinstance(scenario, str) and ("\n" in scenario or ": " in scenario):
        return _put(owner, "inline", scenario)
    if isinstance(scenario, str) and not scenario.endswith(_YAML_ENDINGS):
        return scenario
    path = Path(scenario)
    return _put(owner, path.stem, path.read_text("utf-8"))


def _put(owner: Lyceum, stem: str, text: str) -> str:
    # A name that no file of the server can have, and a different one for each text: queue entries keep what they mean.
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    lowered = stem.lower()
    name = f"{lowered if _NAME.fullmatch(lowered) else 'file'}-{mark}"
    owner.connection.control("PUT", f"/scenarios/{quote(name)}", key=owner.api_key, yaml=text)
    return name


class Standing:
    """The tenant's queue, at whose end a standing entry may wait for all that nothing else is for.

    Which one that is, the queue itself says, so that it is known after a snapshot was restored, too.
    """

    def __init__(self, owner: Lyceum) -> None:
        self._owner = owner

    def set(self, name: str) -> None:
        """Make `name` the standing entry. Raises ControlRefused if there is no such scenario."""
        *waiting, new = self._added({"scenario": name, "times": ALWAYS})
        if waiting and _stands(waiting[-1]):
            self._refill([*waiting[:-1], new])

    def enqueue(self, entry: dict[str, Any]) -> None:
        """Add an entry behind the others, and before the standing one."""
        *waiting, new = self._added(entry)
        if waiting and _stands(waiting[-1]):
            self._refill([*waiting[:-1], new, waiting[-1]])

    def _added(self, entry: dict[str, Any]) -> list[dict[str, Any]]:
        """The queue with `entry` at its end."""
        waiting = self._owner.control("POST", "/queue", entry)["queue"]
        return [{name: value for name, value in each.items() if value is not None} for each in waiting]

    def _refill(self, entries: list[dict[str, Any]]) -> None:
        self._owner.control("DELETE", "/queue")
        for each in entries:
            self._owner.control("POST", "/queue", each)


def _stands(entry: dict[str, Any]) -> bool:
    """Whether it is a standing one; no test takes so much of it that it would no longer look like one."""
    return "match" not in entry and entry["times"] > ALWAYS // 2
