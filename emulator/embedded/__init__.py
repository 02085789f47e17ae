"""The emulator for Python programs: a server in a thread, or a handle on one that runs.

Its modules set `__tracebackhide__`: of what is refused pytest shows the line of the test that asked for it, without
the dozens of ours below it. `pytest --full-trace` shows them all.
"""

from emulator.embedded.clock import TenantClock, Until
from emulator.embedded.durations import Duration
from emulator.embedded.emulator import Emulator
from emulator.embedded.lyceum import ClockMode, Lyceum
from emulator.embedded.metrics import MetricSeries
from emulator.embedded.scenarios import ScenarioLike
from emulator.embedded.transport import Application, AsyncTransport, Transport
from emulator.embedded.views import (
    ChosenBy,
    Ending,
    NearMiss,
    RequestView,
    RunView,
    Script,
    Stage,
    Transition,
    Violation,
)
from emulator.errors import ControlError, ControlRefused, EmulatorError, StartError, Unreachable

__all__ = [
    "Application",
    "AsyncTransport",
    "ChosenBy",
    "ClockMode",
    "ControlError",
    "ControlRefused",
    "Duration",
    "Emulator",
    "EmulatorError",
    "Ending",
    "Lyceum",
    "MetricSeries",
    "NearMiss",
    "RequestView",
    "RunView",
    "ScenarioLike",
    "Script",
    "Stage",
    "StartError",
    "TenantClock",
    "Transition",
    "Transport",
    "Unreachable",
    "Until",
    "Violation",
]
