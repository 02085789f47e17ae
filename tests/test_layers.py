"""Imports run one way: a module knows what lies below it, and nothing beside or above it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import emulator

PACKAGE = Path(emulator.__file__).parent

# Lowest first. What stands on one line may not import what stands beside it, either.
LAYERS: tuple[tuple[str, ...], ...] = (
    # the core: no I/O, no framework
    ("errors",),
    ("times", "statuses", "noise", "series_names", "resources", "texts"),
    ("clock",),
    ("documents",),
    ("hardware",),
    ("contract",),
    ("faults",),
    ("scenario",),
    ("runs",),
    ("telemetry",),
    ("tenants",),
    ("snapshot",),
    # the doors
    ("file_lock",),
    ("server",),
    ("control",),
    ("app", "state_file"),
    ("embedded", "cli"),
    ("pytest_plugin",),
    ("__init__", "__main__"),
)
RANKS = {name: rank for rank, names in enumerate(LAYERS) for name in names}

DOORS = {"server", "control", "app", "state_file", "embedded", "pytest_plugin", "cli", "__main__"}
ONLY_IN_DOORS = {"starlette", "uvicorn", "click", "rich", "pytest"}


def layer_of(source: Path) -> str:
    """The first part of a module's path inside the package: `runs` for emulator/runs/output.py."""
    return source.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(code: str) -> Iterator[str]:
    """Absolute names of all that `code` imports, inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def complaints(layer: str, code: str) -> Iterator[str]:
    """What is wrong with the imports of a module of `layer`, a sentence each."""
    rank = RANKS.get(layer, len(LAYERS))  # a layer without a place is another test's business
    for module in imported_modules(code):
        top, _, rest = module.partition(".")
        if top in ONLY_IN_DOORS and layer not in DOORS:
            yield f"{layer} is core and may not import {top}"
        elif top == "emulator":
            target = rest.partition(".")[0]
            if target in ("", "__version__", layer):
                continue
            if target not in RANKS:
                yield f"{layer} imports emulator.{target}, which has no place in LAYERS"
            elif RANKS[target] >= rank:
                yield f"{layer} may not import {target}, which stands beside or above it"


def test_every_module_has_a_place_in_the_layers() -> None:
    unplaced = {layer_of(source) for source in PACKAGE.rglob("*.py")} - set(RANKS)
    assert unplaced == set()


def test_imports_run_one_way() -> None:
    found = [
        f"{source.relative_to(PACKAGE.parent)}: {complaint}"
        for source in sorted(PACKAGE.rglob("*.py"))
        for complaint in complaints(layer_of(source), source.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("layer", "code", "complaint"),
    [
        (
            "runs",
            "from emulator.telemetry.signals import ramp",
            "runs may not import telemetry, which stands beside or above it",
        ),
        (
            "runs",
            "def late():\n    from emulator import server",
            "runs may not import server, which stands beside or above it",
        ),
        (
            "cli",
            "import emulator.pytest_plugin",
            "cli may not import pytest_plugin, which stands beside or above it",
        ),
        (
            "server",
            "from emulator.control import routes",
            "server may not import control, which stands beside or above it",
        ),
        ("tenants", "import starlette.requests", "tenants is core and may not import starlette"),
        (
            "tenants",
            "from emulator.utils import x",
            "tenants imports emulator.utils, which has no place in LAYERS",
        ),
    ],
)
def test_an_import_that_runs_the_wrong_way_is_named(layer: str, code: str, complaint: str) -> None:
    assert list(complaints(layer, code)) == [complaint]


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        ("telemetry", "from emulator.runs.output import lines"),
        ("control", "from emulator.server.wire import run_record\nfrom starlette.requests import Request"),
        ("cli", "from emulator.app import create_app\nfrom emulator import __version__"),
        ("runs", "from emulator.runs.timing import timing_at"),
    ],
)
def test_an_import_that_runs_the_right_way_is_fine(layer: str, code: str) -> None:
    assert list(complaints(layer, code)) == []


def test_importing_the_package_brings_in_nothing_else() -> None:
    """`import emulator` has to stay cheap: the plugin loads in every pytest session."""
    third_parties = {"numpy", "starlette", "uvicorn", "faker", "orjson", "yaml", "jsonschema_rs"}
    code = f"import emulator, sys; print(sorted({third_parties!r} & set(sys.modules)))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout == "[]\n"
