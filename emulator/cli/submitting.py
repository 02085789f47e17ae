"""The options that describe a submission, and the submission that they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from emulator.cli.options import Duration, F, Pair, VariableName

if TYPE_CHECKING:
    from emulator.scenario.submission import Submission

KINDS = ("python", "docker", "compose", "gpu_selection")

_OPTIONS = (
    click.option("--kind", type=click.Choice(KINDS), help="Start call.  [default: python, or what the others imply]"),
    click.option("--file-name", metavar="NAME", help="Name of the file that is submitted."),
    click.option("--code", metavar="TEXT", help="Source of a Python run; @FILE reads it from a file."),
    click.option("--run-name", metavar="NAME", help="Name that the client gives the run."),
    click.option("--image", metavar="IMAGE", help="Image of a docker run."),
    click.option("--command", metavar="TEXT", help="Command of a docker run, its words separated by spaces."),
    click.option(
        "--compose", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File of a compose run."
    ),
    click.option("--hardware", metavar="PROFILE", help="Hardware profile, such as gpu.h100.  [default: the API's]"),
    click.option("--label", "labels", multiple=True, metavar="LABEL", help="Label of the run. Repeatable."),
    click.option("--metadata", multiple=True, type=Pair(), metavar="KEY=VALUE", help="Metadata. Repeatable."),
    click.option("--job-type", metavar="TYPE", help="Job type of a docker run; customer_notebook for a notebook."),
    click.option(
        "--env",
        multiple=True,
        type=VariableName(),
        metavar="NAME",
        help="Environment variable it is given. Repeatable.",
    ),
    click.option("--timeout", type=Duration(), default="60s", show_default=True, help="Time limit of the client."),
)


def submission_options(command: F) -> F:
    """The options of a submission on `command`, which takes them as keyword arguments."""
    for each in reversed(_OPTIONS):
        command = each(command)
    return command


def submission_of(given: dict[str, Any]) -> Submission:
    """What a start call with these options would submit, with the defaults of that call.

    Raises Forbidden for an unknown hardware profile, click.UsageError for options that do not go together.
    """
    return replace(_submitted(given), environment=given["env"])


def _submitted(given: dict[str, Any]) -> Submission:
    from emulator.server.submissions import (
        compose_submission,
        gpu_selection_submission,
        image_submission,
        python_submission,
    )

    kind = _kind(given)
    common = {
        "file_name": given["file_name"],
        "run_name": given["run_name"],
        "labels": given["labels"],
        "metadata": dict(given["metadata"]),
        "timeout": -(-given["timeout"] // 1000),
    }
    if kind == "gpu_selection":
        submission = gpu_selection_submission(common | {"code": _code(given["code"])})
        return replace(
            submission,
            run_name=given["run_name"],
            labels=given["labels"],
            metadata=dict(given["metadata"]),
            # Without any code there is nothing to be looked at.
            code_problem=None if given["code"] is None else submission.code_problem,
        )
    if given["hardware"] is not None:
        common["execution_type"] = given["hardware"]
    if kind == "docker":
        command = (given["command"] or "").split()
        body = common | {"docker_image_ref": given["image"], "docker_run_cmd": command, "job_type": given["job_type"]}
        return image_submission(body)
    if kind == "compose":
        text = None if given["compose"] is None else _text_of(given["compose"])
        return compose_submission(common | {"compose_file_code": text})
    return python_submission(common | {"code": _code(given["code"])})


def _kind(given: dict[str, Any]) -> str:
    """The start call that the options ask for, or the only one that has them all."""
    implied = {"image": "docker", "command": "docker", "job_type": "docker", "compose": "compose", "code": "python"}
    kind: str | None = given["kind"]
    for name, only in implied.items():
        if given[name] is None or (kind == "gpu_selection" and name == "code"):
            continue
        if kind not in (None, only):
            raise click.UsageError(f"--{name.replace('_', '-')} is for {only} runs, and this is a {kind} run")
        kind = only
    return kind or "python"


def _code(text: str | None) -> str:
    if text is None or not text.startswith("@"):
        return text or ""
    return _text_of(Path(text[1:]))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"cannot read {path}: it is not UTF-8 text") from None
