"""Sessions of pytest within tests: `pytester`, each in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Session = Callable[..., pytest.RunResult]

ALONE = ("-p", "no:randomly", "-p", "no:asyncio", "-p", "no:cacheprovider")
"""In the order of the files, and without what is not asked for."""


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Runs pytest on files by name, with warnings as errors: `session({"test_a": "..."}, "-n", "2")`."""
    for name in list(os.environ):
        if name.startswith(("LYCEUM_", "PYTEST_", "CI")):
            monkeypatch.delenv(name)

    def run(files: dict[str, str], *arguments: str | Path, plugins: tuple[str, ...] = ALONE) -> pytest.RunResult:
        pytester.makepyfile(**files)
        return pytester.runpytest_subprocess("-W", "error", *plugins, *arguments, timeout=300)

    return run
