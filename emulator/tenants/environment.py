"""The environment variables that a tenant has stored for its runs: everything about them but their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from emulator.errors import NotFound, TooMany
from emulator.tenants.identity import Identity, uuid_of

MAX_VARIABLES = 1_000
"""So many variables a tenant keeps at most. The service's own bound is not documented."""


class EnvironmentVariable(Struct, frozen=True):
    """A stored variable. No run of the emulator reads its value, so that is not kept and cannot get out."""

    id: str
    name: str
    is_secret: bool
    created_ms: int
    updated_ms: int


class Environment:
    """The variables of one tenant. Runs that are submitted later get them, earlier ones do not."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._by_name: dict[str, EnvironmentVariable] = {}
        self._made = 0

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._by_name)

    @property
    def count(self) -> int:
        """How many there ever were: their ids follow from that."""
        return self._made

    def variables(self) -> list[EnvironmentVariable]:
        """All of them, in order of their names."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def set(self, wanted: Mapping[str, bool], now_ms: int) -> list[EnvironmentVariable]:
        """Store variables: by name, whether it is secret. One that is there is replaced and keeps its id.

        Raises TooMany at the limit; then nothing is changed.
        """
        if len(self._by_name.keys() | wanted.keys()) > MAX_VARIABLES:
            raise TooMany(f"at most {MAX_VARIABLES} environment variables are kept; delete some first")
        return [self._set(name, is_secret=is_secret, now_ms=now_ms) for name, is_secret in wanted.items()]

    def _set(self, name: str, *, is_secret: bool, now_ms: int) -> EnvironmentVariable:
        known = self._by_name.get(name)
        if known is not None:
            variable = replace(known, is_secret=is_secret, updated_ms=now_ms)
        else:
            variable_id = uuid_of(self._identity.server_seed, self._identity.tenant_key, "variable", self._made)
            variable = EnvironmentVariable(variable_id, name, is_secret, now_ms, now_ms)
            self._made += 1
        self._by_name[name] = variable
        return variable

    def delete(self, variable_id: str) -> EnvironmentVariable:
        """Forget one. Raises NotFound."""
        for variable in self._by_name.values():
            if variable.id == variable_id:
                return self._by_name.pop(variable.name)
        raise NotFound("Environment variable not found")

    def clear(self) -> int:
        """Forget all. Returns how many there were."""
        forgotten = len(self._by_name)
        self._by_name.clear()
        return forgotten

    def restore(self, variables: Iterable[EnvironmentVariable], count: int) -> None:
        """Store these in place of what there is, as they were when there had been `count`."""
        self._by_name = {variable.name: variable for variable in variables}
        self._made = count

    def reset(self) -> None:
        """Be as new: ids begin anew, too."""
        self._by_name.clear()
        self._made = 0
