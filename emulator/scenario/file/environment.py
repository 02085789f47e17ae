"""The `needs_env` of a scenario file: names of environment variables."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.documents import Node, ScalarNode
from emulator.documents.syntax import cut
from emulator.scenario.file.grammar import Findings, Form, Schema
from emulator.scenario.file.records import ListOf
from emulator.scenario.file.scalars import Text


@dataclass(frozen=True)
class VariableName(Form[str]):
    """The name of an environment variable, as long as the service's contract lets one be here."""

    words: str = "the name of an environment variable such as `HF_TOKEN`"

    def _text(self) -> Text:
        return Text(self.words, r"[A-Za-z_][A-Za-z0-9_]*", max_length=255)

    def read(self, node: Node, path: str, findings: Findings) -> str:
        if isinstance(node, ScalarNode) and "=" in node.text:
            # The value is not said again: it may be a secret.
            message = (
                f"expected {self.words}, found one with a value: write `{cut(node.text.partition('=')[0].strip())}`"
            )
            raise findings.refused(node, path, message)
        return self._text().read(node, path, findings)

    def schema(self) -> Schema:
        return self._text().schema()


NEEDS_ENV: ListOf[str] = ListOf(VariableName(), "a list of names, such as `[HF_TOKEN]`", 100)
