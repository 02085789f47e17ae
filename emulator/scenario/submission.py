"""What a client sent to start a run, as the rest of the emulator sees it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

NOTEBOOK_JOB = "customer_notebook"
"""The `job_type` of a notebook. Source: the official client starts notebooks and finds them by it."""

NO_METADATA: Mapping[str, str] = MappingProxyType({})


class Kind(StrEnum):
    """The start call that a run came through."""

    PYTHON = "python"
    DOCKER = "docker"
    COMPOSE = "compose"
    GPU_SELECTION = "gpu_selection"


class Submission(Struct, frozen=True, gc=False):
    """A validated start call without its secrets: credentials and environment values never get this far.

    `hardware` is the profile's full name (`gpu.h100`), whichever alias was sent. `environment` are the names of the
    variables that the run is given: its own, and once it is accepted those of its tenant. `code_problem` is what a
    look at the code of a GPU selection found wrong with it. `metadata` is never changed, like all of it.
    """

    kind: Kind
    hardware: str
    timeout_s: int = 60
    file_name: str | None = None
    run_name: str | None = None
    labels: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=lambda: NO_METADATA)
    callback_urls: tuple[str, ...] = ()
    code: str | None = None
    requirements: str | None = None
    image: str | None = None
    command: tuple[str, ...] = ()
    compose: str | None = None
    job_type: str | None = None
    graceful_timeout_s: int | None = None
    s3_mount: bool = False
    s3_mount_path: str | None = None
    local_imports: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    code_problem: str | None = None

    @property
    def is_notebook(self) -> bool:
        return self.job_type == NOTEBOOK_JOB
