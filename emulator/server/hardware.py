"""Operations of the tag `hardware`: which machines there are, and what they cost."""

from __future__ import annotations

from starlette.responses import Response

from emulator.hardware.profiles import listed_profiles
from emulator.server.call import Call
from emulator.server.responses import json_response


def list_machine_types(_call: Call) -> Response:
    rows = [
        {"hardware_profile": profile.name, "price_per_hour": profile.price_per_hour} for profile in listed_profiles()
    ]
    return json_response({"machine_types": rows, "count": len(rows)})


def list_available_hardware(_call: Call) -> Response:
    return json_response({"available_hardware_profiles": [profile.name for profile in listed_profiles()]})
