"""Contracts in a form that is read sixty times as fast as their YAML, which every start would wait for.

A compiled contract is kept as Python keeps bytecode, by Python's own rules: in the `__pycache__` beside the file or
under `sys.pycache_prefix`, never written with `-B` or PYTHONDONTWRITEBYTECODE, and free to be deleted. Where it cannot
be written, each start reads the YAML.

It counts only if it is whole, was made of the very bytes that the YAML has now, and is of today's form. Only what JSON
can say is kept at all: a contract with a number for a key, a date or an infinity is read from its YAML each time.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.util import cache_from_source, source_hash
from pathlib import Path

import orjson

_FORM = b"lyceum-emulator contract 1\n"
"""What the file begins with. After it come the hash of the YAML, the hash of the rest, and the rest: JSON."""

_HASH_BYTES = 8


def read_compiled(file: Path, text: bytes) -> object | None:
    """What the YAML in `file`, of which `text` is the content, says; None if that is not known."""
    try:
        content = _place_of(file).read_bytes()
    except (OSError, NotImplementedError):
        return None
    head = _FORM + source_hash(text)
    json = content[len(head) + _HASH_BYTES :]
    return orjson.loads(json) if content.startswith(head + source_hash(json)) else None


def write_compiled(file: Path, text: bytes, document: object) -> None:
    """Keep `document`, which the YAML in `file` says, `text` being its content. Does nothing where that is impossible
    or unwanted.
    """
    if sys.dont_write_bytecode:
        return
    try:
        place = _place_of(file)
        json = orjson.dumps(document)
    except (NotImplementedError, orjson.JSONEncodeError):
        return
    if orjson.loads(json) == document:
        with suppress(OSError):
            _put(place, _FORM + source_hash(text) + source_hash(json) + json)


def _place_of(file: Path) -> Path:
    """Where the compiled form of `file` lies. Raises NotImplementedError in a Python that keeps no bytecode."""
    return Path(cache_from_source(str(file.absolute()))).with_suffix(".contract")


def _put(place: Path, content: bytes) -> None:
    """Write the file whole or not at all, whoever else does so at the same time. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(f".{os.urandom(8).hex()}")  # one that nobody else writes, now or before a crash
    try:
        unfinished.write_bytes(content)
        unfinished.replace(place)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
