"""The statuses of a run, as a scenario says them and as one run passes them, and how a run ends."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from emulator.scenario.json_value import Json
from emulator.scenario.ranges import DurationRange
from emulator.statuses import RunStatus


class StageSpec(Struct, frozen=True):
    """One active entry of the timeline; no duration means until somebody stops the run."""

    status: RunStatus
    duration: DurationRange | None


class ScriptedStage(NamedTuple):
    """A stretch with one status in one run; no duration means until somebody stops the run."""

    status: RunStatus
    duration_ms: int | None


class Ending(Struct, frozen=True):
    """How a run ends: its terminal status and what goes with it.

    `return_code` is None only for system_failure; `error` is the cause in the user's words, if any.
    """

    status: RunStatus
    return_code: int | None = None
    error: str | None = None
    result: Json = None
