"""What `lyceum-emulator serve` prints once it is up: where it is, and what a person needs to know to use it."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from emulator.cli.options import EXAMPLE_KEY
from emulator.clock import ClockMode
from emulator.times import format_duration

if TYPE_CHECKING:
    from emulator.clock import Clock
    from emulator.server.service import Service


def _reachable_at(listener: socket.socket) -> str:
    """The URL by which this machine reaches a server that listens there: "all addresses" is none to connect to."""
    from emulator.server.listener import url_of  # late: brings a web framework

    host, port = listener.getsockname()[:2]
    if not ipaddress.ip_address(host).is_unspecified:
        return url_of(listener)
    both = listener.family == socket.AF_INET or not listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return f"http://127.0.0.1:{port}" if both else f"http://[::1]:{port}"


def greeting(listener: socket.socket, service: Service, restored: str | None) -> str:
    """What a person needs to know once the server is up; `restored` says what came out of the state file."""
    url, (host, port) = _reachable_at(listener), listener.getsockname()[:2]
    settings, cloud = service.settings, service.cloud
    key = min(settings.api_keys) if settings.api_keys else EXAMPLE_KEY
    names = [f"{name} (default)" if name == cloud.default_name else name for name in cloud.scenario_names]
    lines = [
        f"Lyceum emulator at {url}",
        f"  official client:  lyceum auth login --url {url} --api-key {key}",
        f"  clock:            {_clock_words(cloud.clock)}",
        f"  scenarios:        {', '.join(names)}",
    ]
    if restored is not None:
        lines.append(f"  state:            {restored}; its clock comes before --clock")
    if settings.control_token is not None:
        lines.append(f"  control token:    {settings.control_token}  (header X-Emulator-Token)")
    if ipaddress.ip_address(host).is_unspecified:
        lines.append(f"  listens on:       all addresses of this machine ({host}), port {port}")
    return "\n".join(lines)


def _clock_words(clock: Clock) -> str:
    match clock.mode:
        case ClockMode.REAL:
            return "real" if clock.speed == 1 else f"real, {clock.speed:g} times as fast"
        case ClockMode.MANUAL:
            return "manual: moved by POST /_emulator/clock/advance"
        case ClockMode.PER_REQUEST:
            return f"per request: each moves it by {format_duration(clock.step_ms)}"
