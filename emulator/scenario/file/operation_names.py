"""Names of operations in a scenario file: those of the contract, or patterns of them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from emulator.contract.document import load_document
from emulator.contract.operations import operations
from emulator.documents import Node
from emulator.documents.syntax import cut
from emulator.resources import CONTRACT_FILE
from emulator.scenario.file.grammar import Findings, Form, Schema, nearest
from emulator.scenario.file.scalars import Text

_PATTERN = r"[a-z0-9_*?]{1,100}"

_SYNONYMS = {
    "start": "start_python_execution",
    "submit": "start_python_execution",
    **dict.fromkeys(("start_docker", "start_docker_execution", "docker", "image"), "start_image_execution"),
    **dict.fromkeys(("start_notebook", "start_notebook_execution"), "start_python_execution"),
    "abort_docker": "abort_image_execution",
    "stream": "stream_output",
    "logs": "get_execution_logs",
    "status": "get_execution",
    "metrics": "get_execution_metrics",
    "stop": "stop_workload",
    "abort": "abort_workload",
    "list": "list_workloads",
}


@lru_cache(maxsize=1)
def about_runs() -> dict[str, bool]:
    """Every operation of the contract, and whether it is about one run, whose id is in its path."""
    found = operations(load_document(CONTRACT_FILE))
    return {name: any(part == "execution_id" for _, part in each.path_names) for name, each in found.items()}


@dataclass(frozen=True)
class OperationName(Form[str]):
    """An operation of the contract, or a pattern that fits some."""

    of_run: bool
    words: str = "an operation such as `get_execution`, or a pattern such as `start_*`"

    def _text(self) -> Text:
        return Text(self.words, _PATTERN)

    def read(self, node: Node, path: str, findings: Findings) -> str:
        pattern = self._text().read(node, path, findings)
        fitting = [name for name in about_runs() if fnmatchcase(name, pattern)]
        if not fitting:
            near = nearest(pattern.replace("*", ""), list(about_runs()), _SYNONYMS)
            hint = f": did you mean `{near}`?" if near else ": the contract, openapi.yaml, has them all"
            message = f"there is no operation `{cut(pattern)}`{hint}"
            raise findings.refused(node, path, message, beyond_schema=True)
        if self.of_run and not any(about_runs()[name] for name in fitting):
            message = f"`{cut(pattern)}` is about no run that has this scenario: add it with `POST /_emulator/faults`"
            raise findings.refused(node, path, message, beyond_schema=True)
        return pattern

    def schema(self) -> Schema:
        return self._text().schema()
