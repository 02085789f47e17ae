"""What several tests of runs use."""

import pytest

from emulator.scenario import rendering
from emulator.scenario.script import Script


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The entries of the lines that are rendered, as they are."""
    entries: list[int] = []
    render = rendering._render

    def noted(script: Script, index: int, n: int, at_ms: int) -> str:
        entries.append(index)
        return render(script, index, n, at_ms)

    monkeypatch.setattr(rendering, "_render", noted)
    return entries
