"""Golden cases: what people write, and the exact lines that they get to read (mistakes.txt)."""

from pathlib import Path

import pytest

from emulator.errors import ScenarioError
from emulator.scenario.library import Library

CASES = [
    (title, *text.split("--- says\n"))
    for title, _, text in (
        case.partition("\n") for case in Path(__file__).with_name("mistakes.txt").read_text("utf-8").split("=== ")[1:]
    )
]
OTHERS = {
    "oom": 'timeline: [{running: 9s}]\noutput: [{at: 8s, text: "out of memory"}]',
    "endless": 'timeline: [{running: 9s}]\noutput: [{every: 1ms, text: "again\\n"}]',
    "shaped": "timeline: [{running: 9s}]\nshapes: {mine: {like: eval}}\nmetrics: [{phase: all, shape: mine}]",
    "mistake": "timeline: [{running: 1s}]",
    "ring": "extends: mistake",
}
"""The scenarios that there are besides. `ring` extends the one that the mistake replaces."""


@pytest.fixture(scope="module")
def library() -> Library:
    library = Library()
    for name, text in OTHERS.items():
        library = library.with_added(library.read(text, name=name, source=f"{name}.yaml"))
    return library


@pytest.mark.parametrize(("title", "text", "says"), CASES, ids=[title for title, *_ in CASES])
def test_a_mistake_is_explained(library: Library, title: str, text: str, says: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        library.read(text, name="mistake", source="m.yaml")
    assert str(refused.value).splitlines() == [f"m.yaml:{line}" for line in says.splitlines()]


def test_there_are_at_least_forty_cases_with_titles_of_their_own() -> None:
    assert len({title for title, *_ in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize(("title", "text", "says"), CASES, ids=[title for title, *_ in CASES])
def test_messages_stay_short(title: str, text: str, says: str) -> None:
    """Short enough for a terminal, and a line each."""
    assert max(map(len, says.splitlines())) < 350
