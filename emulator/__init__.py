"""A server that stands in for the Lyceum Cloud API: scripted GPU runs on your machine and in CI.

`lyceum-emulator serve` starts it, `with Emulator() as lyceum:` does so in this process; `ARCHITECTURE.md` says how
it is built. Importing this package costs nothing: the names below are loaded when they are first asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.embedded import (
        Application,
        AsyncTransport,
        ChosenBy,
        ClockMode,
        ControlError,
        ControlRefused,
        Duration,
        Emulator,
        EmulatorError,
        Ending,
        Lyceum,
        MetricSeries,
        NearMiss,
        RequestView,
        RunView,
        ScenarioLike,
        Script,
        Stage,
        StartError,
        TenantClock,
        Transition,
        Transport,
        Unreachable,
        Until,
        Violation,
    )

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
    "__version__",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in __all__:
        from emulator import embedded  # late: a whole server

        return getattr(embedded, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
