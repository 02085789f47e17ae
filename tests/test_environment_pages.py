"""docs/environment-variables.md and docs/notebooks.md: their examples print what they show, their figures are right."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from emulator.contract.document import load_document
from emulator.resources import CONTRACT_FILE
from emulator.tenants.environment import MAX_VARIABLES
from tests.process import serving

DOCS = Path(__file__).parents[1] / "docs"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text("utf-8")


def block(name: str, language: str) -> str:
    """The page's only block in `language`."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("name", ["environment-variables", "notebooks"])
def test_an_example_prints_what_the_page_shows(name: str) -> None:
    with serving("--clock", "manual") as server:
        script = block(name, "sh").replace("http://127.0.0.1:8642", server.url)
        done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == block(name, "text")


def test_the_bounds_are_those_of_the_contract() -> None:
    words = " ".join(page("environment-variables").split())
    schemas = load_document(CONTRACT_FILE)["components"]["schemas"]
    name, value = schemas["VariableName"], schemas["VariableValue"]
    assert f"A name matches `{name['pattern']}`" in words
    assert (
        f"names of {name['maxLength']} characters, values of {value['maxLength']}, {MAX_VARIABLES} variables" in words
    )
    assert schemas["VariableBatch"]["maxItems"] == MAX_VARIABLES
    assert schemas["EnvironmentVariablesDeleted"]["properties"]["deleted"]["maximum"] == MAX_VARIABLES


def test_links_lead_to_pages_and_headings() -> None:
    linked = [
        target for name in ("environment-variables", "notebooks") for target in re.findall(r"\]\(([^)]+)\)", page(name))
    ]
    assert linked
    for target in linked:
        file, _, heading = target.partition("#")
        assert not heading or f"\n### {heading}\n" in (DOCS / file).read_text("utf-8")
