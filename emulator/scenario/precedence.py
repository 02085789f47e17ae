"""Scenarios that never get a submission, since others are asked before them."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.errors import Problem
from emulator.scenario.file.wildcards import covers
from emulator.scenario.linted_file import File
from emulator.scenario.model import Match, Scenario
from emulator.scenario.submission import Kind


def repeated_name(file: File) -> Iterator[Problem]:
    """An earlier file has the same name, and does not extend this one."""
    hiding = _hiding(file)
    if hiding is not None and file.scenario.name not in hiding.bases:
        yield file.problem_at_top(f"never used: {hiding.source} is called `{hiding.name}`, too, and comes first")


def never_matches(file: File) -> Iterator[Problem]:
    """An earlier file's `match` holds whenever this one's does."""
    match = file.scenario.match
    if match is None or _hiding(file) is not None:
        return
    for other in file.earlier:
        if other.match is not None and _holds_wherever(other.match, match):
            message = f"never decides: whatever fits it fits the `match` of `{other.name}`, which is asked first"
            yield file.keys["match"].problem(message)
            return


def _hiding(file: File) -> Scenario | None:
    """The earlier scenario that has the same name."""
    return next((other for other in file.earlier if other.name == file.scenario.name), None)


def _holds_wherever(wide: Match, narrow: Match) -> bool:
    """Whether `wide` holds for every submission that `narrow` holds for."""
    kind = narrow.kind
    if kind is None and (narrow.image is not None or narrow.command is not None):
        kind = Kind.DOCKER  # no other start call has them
    texts = (
        (wide.file_name, narrow.file_name),
        (wide.code, narrow.code),
        (wide.run_name, narrow.run_name),
        (wide.image, narrow.image),
        (wide.command, narrow.command),
    )
    return (
        wide.kind in (None, kind)
        and all(pattern is None or (own is not None and covers(pattern, own)) for pattern, own in texts)
        and all(any(covers(pattern, own) for own in narrow.labels) for pattern in wide.labels)
        and all(
            key in narrow.metadata and covers(pattern, narrow.metadata[key]) for key, pattern in wide.metadata.items()
        )
        and _hardware_covers(wide.hardware, narrow.hardware)
    )


def _hardware_covers(wide: str | None, narrow: str | None) -> bool:
    if wide is None or narrow is None:
        return wide is None
    # A profile fits by its full name or by the bare one, so that `h100*` is as wide as `gpu.h100*`.
    return covers(wide, narrow) or covers(f"gpu.{wide}", narrow)
