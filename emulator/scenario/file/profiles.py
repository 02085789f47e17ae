"""The form of a hardware profile's name."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.documents import Node
from emulator.documents.syntax import cut
from emulator.hardware.profiles import PROFILES, find_profile
from emulator.scenario.file.grammar import Findings, Form, Schema, listed, nearest
from emulator.scenario.file.scalars import Text
from emulator.scenario.selection import gpu_profile_names

_WORD = r"[a-z0-9][a-z0-9._-]{0,99}"


@dataclass(frozen=True)
class ProfileName(Form[str]):
    """A hardware profile by its full name, or by a bare one (`h100`): the full name.

    With `gpus_only`, one that has a GPU.
    """

    words: str = "a hardware profile such as `gpu.h100`"
    gpus_only: bool = False

    def read(self, node: Node, path: str, findings: Findings) -> str:
        name = Text(self.words, _WORD).read(node, path, findings)
        profile = find_profile(name)
        if profile is None or not self._known().fits(name):
            names = self._names()
            near = nearest(name, names) or nearest(f"gpu.{name}", names)
            hint = f"did you mean `{near}`? There are" if near else "there are"
            message = f"there is no profile `{cut(name)}`: {hint} {listed(names, 'and')}"
            if profile is not None and profile.device is None:
                message = f"`{cut(name)}` has no GPU: a selection is among GPUs"
            raise findings.refused(node, path, message)
        return profile.name

    def schema(self) -> Schema:
        return self._known().schema()

    def _names(self) -> tuple[str, ...]:
        return gpu_profile_names() if self.gpus_only else tuple(PROFILES)

    def _known(self) -> Text:
        """Every name that there is; several GPUs on one machine are written as a suffix."""
        gpus = [name.replace("gpu.", "(gpu.)?").replace(".", r"\.") for name in gpu_profile_names()]
        several = rf"({'|'.join(gpus)})(\.[248]x)?"
        others = [] if self.gpus_only else [name for name in PROFILES if name not in gpu_profile_names()]
        return Text(self.words, "|".join([*others, several]))
