"""From the body of a start call to a submission; what is secret in it stays behind."""

from __future__ import annotations

import re
from typing import Any

import orjson

from emulator.errors import Forbidden
from emulator.hardware.profiles import find_profile, listed_profiles
from emulator.scenario.code_check import code_problem
from emulator.scenario.selection import PARENT_HARDWARE
from emulator.scenario.submission import NO_METADATA, Kind, Submission

# The padding of base64 (`...==`), the last line of many a key, is no assignment.
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,254})=(?!=+\r?$).*", re.DOTALL)

_MAX_NAME = 100
"""Longer than any profile's name."""


def python_submission(body: dict[str, Any]) -> Submission:
    """Raises Forbidden for an unknown hardware profile."""
    # Older documentation calls the requirements file `requirements`, and older clients send it so.
    requirements = body.get("requirements_content", body.get("requirements"))
    return Submission(
        kind=Kind.PYTHON,
        code=body["code"],
        requirements=requirements if isinstance(requirements, str) else None,
        local_imports=_file_names(body.get("import_files")),
        **_common(body, default_hardware="gpu.l40s"),
    )


def gpu_selection_submission(body: dict[str, Any]) -> Submission:
    """For the parent, whose children differ from it in hardware and kind. All of the code is looked at."""
    files = _files(body.get("import_files"))
    sources = (source for source in files.values() if isinstance(source, str))
    return Submission(
        kind=Kind.GPU_SELECTION,
        hardware=PARENT_HARDWARE,
        code=body["code"],
        requirements=body.get("requirements_content"),
        local_imports=tuple(files),
        timeout_s=int(body.get("timeout", 60)),
        file_name=body.get("file_name"),
        code_problem=code_problem((body["code"], *sources)),
    )


def image_submission(body: dict[str, Any]) -> Submission:
    """Raises Forbidden for an unknown hardware profile."""
    return Submission(
        kind=Kind.DOCKER,
        image=body["docker_image_ref"],
        command=tuple(body.get("docker_run_cmd", ())),
        job_type=body.get("job_type"),
        graceful_timeout_s=_whole(body.get("graceful_timeout")),
        environment=environment_names(body.get("docker_run_env")) or (),
        s3_mount=body.get("enable_s3_mount", True),
        s3_mount_path=body.get("s3_mount_path"),
        **_common(body, default_hardware="cpu"),
    )


def compose_submission(body: dict[str, Any]) -> Submission:
    """Raises Forbidden for an unknown hardware profile."""
    return Submission(
        kind=Kind.COMPOSE,
        compose=body["compose_file_code"],
        graceful_timeout_s=_whole(body.get("graceful_timeout")),
        s3_mount=body.get("enable_s3_mount", False),
        **_common(body, default_hardware="cpu"),
    )


def environment_names(text: str | None) -> tuple[str, ...] | None:
    """The names in `docker_run_env`, one `NAME=value` a line; None where a line is something else.

    Then none is told: of a value with line breaks, a later line might pass for a name, and what it names would be a
    piece of a secret.
    """
    lines = [line for line in (text or "").split("\n") if line.strip()]
    found = [_ASSIGNMENT.fullmatch(line) for line in lines]
    return None if None in found else tuple(dict.fromkeys(line[1] for line in found if line))


def _common(body: dict[str, Any], *, default_hardware: str) -> dict[str, Any]:
    return {
        "hardware": _hardware(body.get("execution_type", default_hardware)),
        "timeout_s": _whole(body.get("timeout", 60)),
        "file_name": body.get("file_name"),
        "run_name": body.get("run_name"),
        "labels": tuple(body.get("labels", ())),
        "metadata": body.get("metadata") or NO_METADATA,
        "callback_urls": tuple(body.get("user_callback_urls") or ()),
    }


def _whole(number: float | None) -> int | None:
    """JSON Schema counts 5.0 as an integer, too."""
    return None if number is None else int(number)


def _hardware(name: str) -> str:
    profile = find_profile(name[:_MAX_NAME])  # which remembers what it was asked
    if profile is None:
        names = ", ".join(listed.name for listed in listed_profiles())
        raise Forbidden(
            f"Hardware profile '{name[:_MAX_NAME]}' is not available. Available: {names}"
            " (several GPUs: append .2x, .4x or .8x)"
        )
    return profile.name


def _file_names(import_files: object) -> tuple[str, ...]:
    return tuple(_files(import_files))


def _files(import_files: object) -> dict[str, Any]:
    """The files that go with a script; clients send them as the text of a JSON object, name to source."""
    if not isinstance(import_files, str):
        return {}
    try:
        files = orjson.loads(import_files)
    except orjson.JSONDecodeError:  # undocumented: a text in any other form is taken, and means nothing to us
        return {}
    return files if isinstance(files, dict) else {}
