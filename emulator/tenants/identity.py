"""Who a tenant is to the outside: its organisation, its user, the names of its machines.

All of it follows from the tenant's key and the server's seed, so the same token always meets the same people.
"""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from faker import Faker

_HOSTS = 64
"""How many different machines a tenant's runs meet."""


def digest(*parts: str | int) -> bytes:
    """32 bytes fixed by `parts`: the root of ids and seeds, where different inputs must never meet."""
    return hashlib.sha256("\0".join([str(part) for part in parts]).encode()).digest()


def uuid_of(*parts: str | int) -> str:
    """A UUID fixed by `parts`, in the form of a random one."""
    text = digest(*parts).hex()
    variant = "89ab"[int(text[16], 16) & 3]  # these bits and the 4 say that it is random; see RFC 9562
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def seed_of(*parts: str | int) -> int:
    """A run's seed fixed by `parts`; JavaScript reads integers up to 2^53."""
    return int.from_bytes(digest(*parts, "seed")[:8]) >> 11


@lru_cache(maxsize=1024)  # every request asks, and most of them with the token of the one before
def key_of(token: str) -> str:
    """The key of the tenant that `token` opens: the token cannot be told from it."""
    return digest("token", token).hex()


class Identity(Struct, frozen=True, dict=True):
    """One tenant's organisation and its only user. Names are made up, and the first one takes a moment."""

    server_seed: int
    tenant_key: str

    @cached_property
    def slug(self) -> str:
        """The organisation's name in `X-Org-Slug`."""
        return f"org-{digest(self.server_seed, self.tenant_key, 'slug').hex()[:12]}"

    @cached_property
    def org_id(self) -> str:
        return uuid_of(self.server_seed, self.tenant_key, "org")

    @cached_property
    def user_id(self) -> str:
        return uuid_of(self.server_seed, self.tenant_key, "user")

    @cached_property
    def org_name(self) -> str:
        return str(self._names("org").company())

    def host_name(self, number: int) -> str:
        """The name of the machine that a run with this number (its seed) is on."""
        host = number % _HOSTS
        name = self._host_names.get(host)
        if name is None:  # one at a time: all of them would hold up a tenant's first logs by more than all the rest
            names = self._names(f"host {host}")
            name = self._host_names[host] = f"gpu-{names.domain_word()}-{names.numerify('%###')}"
        return name

    @cached_property
    def _host_names(self) -> dict[int, str]:
        return {}

    def _names(self, part: str) -> Faker:
        names = _faker()
        names.seed_instance(int.from_bytes(digest(self.server_seed, self.tenant_key, part)[:8]))
        return names


@lru_cache(maxsize=1)
def _faker() -> Faker:
    from faker import Faker  # late: importing it takes as long as starting the rest of the server

    return Faker("en_US")
