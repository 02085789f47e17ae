"""Hardware profiles: what an `execution_type` of the API stands for, and what it costs."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from msgspec import Struct
from msgspec.structs import replace

from emulator.hardware.devices import DEVICES, Device


class Profile(Struct, frozen=True):
    """One hardware profile of the run API.

    `price_per_hour` is in US dollars for the whole machine. `listed` profiles are shown as launchable; the others
    still start, for clients that use older names.
    """

    name: str
    device: Device | None
    gpus: int
    vcpus: int
    ram_gib: int
    price_per_hour: float
    listed: bool = True

    @property
    def price_per_second(self) -> float:
        return self.price_per_hour / 3600


def _gpu(name: str, device: str, price: float, *, vcpus: int, ram_gib: int, listed: bool = True) -> Profile:
    return Profile(name, DEVICES[device], 1, vcpus, ram_gib, price, listed)


# Names: reference of the official client's versions. No price of a run profile is published: those of L40S, A100,
# H100, H200 and B200 are the published on-demand prices of virtual machines with that GPU (read on 2026-07-31), and
# the rest, like all vCPU and RAM figures, are estimates beside them. All of it is inferred.
_ROWS = (
    Profile("cpu", None, 0, 4, 16, 0.10),
    _gpu("gpu", "t4", 0.35, vcpus=4, ram_gib=16, listed=False),
    _gpu("gpu.t4", "t4", 0.35, vcpus=4, ram_gib=16),
    _gpu("gpu.t4.64gb", "t4", 0.45, vcpus=16, ram_gib=64, listed=False),
    _gpu("gpu.l40s", "l40s", 1.19, vcpus=16, ram_gib=96),
    _gpu("gpu.a100", "a100-80-sxm", 1.59, vcpus=16, ram_gib=120),
    _gpu("gpu.a100.40gb", "a100-40-sxm", 1.29, vcpus=16, ram_gib=120),
    _gpu("gpu.a100.80gb", "a100-80-sxm", 1.59, vcpus=16, ram_gib=120),
    _gpu("gpu.h100", "h100-sxm", 2.79, vcpus=24, ram_gib=200),
    _gpu("gpu.h200", "h200-sxm", 4.29, vcpus=24, ram_gib=240),
    _gpu("gpu.b200", "b200-sxm", 6.49, vcpus=28, ram_gib=256),
    _gpu("gpu.rtx6000pro", "rtx-pro-6000-se", 1.99, vcpus=16, ram_gib=128),
)
PROFILES: dict[str, Profile] = {row.name: row for row in _ROWS}

# Several GPUs on one machine: 1, 2, 4 and 8 are the counts that the service offers for virtual machines, written
# as they are there. That run profiles take the same suffix is inferred.
_SEVERAL = re.compile(r"(?P<base>.+)\.(?P<count>[248])x", re.ASCII)
_COUNTS = (2, 4, 8)


@lru_cache(maxsize=1024)
def find_profile(name: str) -> Profile | None:
    """The profile of an `execution_type`: its full name, a bare one (`h100`), or one with a GPU count (`.4x`)."""
    for candidate in (name, f"gpu.{name}"):
        if profile := PROFILES.get(candidate):
            return profile
        if several := _SEVERAL.fullmatch(candidate):
            base = PROFILES.get(several["base"])
            if base is not None and base.device is not None:
                return _times(base, int(several["count"]))
    return None


@cache
def all_profile_names() -> tuple[str, ...]:
    """The full names that a run can have: those of one GPU, then those of several."""
    several = (f"{row.name}.{count}x" for row in _ROWS if row.device is not None for count in _COUNTS)
    return (*PROFILES, *several)


def _times(profile: Profile, count: int) -> Profile:
    return replace(
        profile,
        name=f"{profile.name}.{count}x",
        gpus=count,
        vcpus=profile.vcpus * count,
        ram_gib=profile.ram_gib * count,
        price_per_hour=profile.price_per_hour * count,
        listed=False,
    )


def listed_profiles() -> tuple[Profile, ...]:
    """The profiles shown as launchable, in order of the catalogue."""
    return tuple(profile for profile in PROFILES.values() if profile.listed)
