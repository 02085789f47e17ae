"""A server that stands in for the Lyceum Cloud API: scripted GPU runs on your machine and in CI.

`lyceum-emulator serve` starts it; `ARCHITECTURE.md` says how it is built.
"""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """The version, read from the installed distribution when somebody asks for it."""
    if name == "__version__":
        from importlib.metadata import (
            version,
        )  # late: reading metadata is slower than all of this package's start

        return version("lyceum-emulator")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
