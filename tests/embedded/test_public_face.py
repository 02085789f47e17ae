"""`emulator`: what it offers is complete, typed and documented."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
from numpy.typing import NDArray

import emulator
from emulator import embedded

CLASSES = [
    value for name in emulator.__all__ if name != "__version__" and inspect.isclass(value := getattr(emulator, name))
]
DOCS = Path(__file__).parents[2] / "docs"


def test_the_package_offers_what_its_inside_offers() -> None:
    assert set(emulator.__all__) == {*embedded.__all__, "__version__"}
    assert list(emulator.__all__) == sorted(emulator.__all__)
    assert set(emulator.__all__) <= set(dir(emulator))
    assert (Path(emulator.__file__).parent / "py.typed").exists()
    with pytest.raises(AttributeError, match=r"^module 'emulator' has no attribute 'Emulater'$"):
        _ = emulator.Emulater


def own_types(annotation: object) -> Iterator[type]:
    """The classes of this project that an annotation speaks of."""
    for part in typing.get_args(annotation):
        yield from own_types(part)
    if inspect.isclass(annotation) and annotation.__module__.startswith("emulator."):
        yield annotation


def described(kind: type) -> Iterator[tuple[str, object]]:
    """The annotations of a class that a user meets, each with where it stands."""
    known: dict[str, object] = {"np": np, "NDArray": NDArray, "httpx2": httpx2, "Self": typing.Self}
    for base in reversed(kind.__mro__):  # what is inherited is written in the words of its own module
        known |= vars(sys.modules[base.__module__])
    known |= {name: getattr(emulator, name) for name in emulator.__all__}
    for name, value in inspect.getmembers(kind):
        function = value.fget if isinstance(value, property) else value
        if (name.startswith("_") and name not in ("__init__", "__enter__")) or not inspect.isfunction(function):
            continue
        for parameter, annotation in typing.get_type_hints(function, known).items():
            yield f"{kind.__name__}.{name}({parameter})", annotation
    for name, annotation in typing.get_type_hints(kind, known).items():
        if not name.startswith("_"):
            yield f"{kind.__name__}.{name}", annotation


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_whatever_it_speaks_of_can_be_imported(kind: type) -> None:
    inner = {"Connection", "EmulatorThread"}  # what a handle is made of, and no test makes
    missing = {
        f"{place} is a {found.__name__}"
        for place, annotation in described(kind)
        for found in own_types(annotation)
        if found.__name__ not in emulator.__all__ and found.__name__ not in inner
    }
    assert missing == set()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_whatever_it_offers_has_a_docstring(kind: type) -> None:
    assert kind.__doc__


def test_all_that_a_handle_can_do_is_in_the_manual() -> None:
    manual = "".join((DOCS / name).read_text("utf-8") for name in ("pytest.md", "embedding.md"))
    offered = {name for kind in (emulator.Lyceum, emulator.TenantClock) for name in vars(kind) if name[0] != "_"}
    offered |= set(emulator.RunView.__slots__) - {"_owner"} | set(inspect.signature(emulator.Emulator).parameters)
    left = {name for name in offered if not re.search(rf"\b{name}\b", manual)}
    # Said by what stands beside them, or shown in no table on purpose.
    assert left <= {"view", "connection", "name", "close", "mode", "json", "kind", "submitted_at"}
