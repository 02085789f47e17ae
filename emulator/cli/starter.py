"""The file that `scenario new` writes."""

from __future__ import annotations

from pathlib import Path

from emulator.errors import StartError
from emulator.scenario.file.schema import schema_text
from emulator.scenario.library import check_name

SCHEMA_NAME = "schema.json"

_TEXT = """\
# yaml-language-server: $schema=./schema.json
summary: NAME, a short training run that succeeds.   # the line that lists show

# Which submissions get this scenario without asking for it. All conditions must hold; patterns are shell-style.
# Others: kind, code, run_name, labels, metadata, hardware, image, command.
match:
  file_name: "NAME*.py"

# How long the run stays in each status, and how it ends. `10s..20s` is drawn anew for each run.
timeline:
  - pending: 2s
  - starting: 10s..20s
  - running: 30s                  # or until_stopped, for what only ends when somebody stops it
  - completed                     # or  - failed: {return_code: 1, error: "what went wrong"}
                                  # or  - system_failure: {error: "The node stopped responding."}

# Needed once running lasts longer than 60s, the limit that most clients send: `ignore` lets the run go on,
# `enforce` has it cut.
# timeout: ignore

# What the run prints. Times count from the start of running; {n} counts the lines of an entry.
output:
  - {at: 500ms, text: "loading data\\n"}
  - every: 2s
    from: 4s
    until: 28s
    text: "step {n} loss {loss:.4f} in {ms} ms\\n"
    fields:
      loss: {from: 2.4, to: 0.9}  # from the first line to the last
      ms: 180..220                # drawn for each line
  - {at: 29s, text: "done\\n"}
  # - {at: 29s, stream: stderr, text: "something went wrong\\n"}

# What the GPU is busy with, phase after phase; the last one takes the rest of running.
metrics:
  - {phase: load, for: 4s, shape: load-weights}
  - {phase: train, shape: train-llm, gpu_memory: {from: 40%, to: 60%}}
"""


def starting_text(name: str) -> str:
    """A valid scenario with a comment on each of its parts."""
    return _TEXT.replace("NAME", name)


def write_starter(name: str, directory: Path) -> list[Path]:
    """Write the file of a new scenario, and beside it the schema for editors if there is none.

    Returns what was written. Raises StartError for a name that none can have, for a file that exists, and
    where nothing can be written.
    """
    problem = check_name(name)
    if problem is not None:
        raise StartError(problem)
    file, schema = directory / f"{name}.yaml", directory / SCHEMA_NAME
    for existing in (file, file.with_suffix(".yml")):
        if existing.exists():
            raise StartError(f"{existing} exists already, and is not overwritten")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(starting_text(name))
        if schema.exists():
            return [file]
        schema.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        raise StartError(f"cannot write {error.filename}: {error.strerror}") from None
    return [file, schema]
