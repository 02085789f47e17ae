"""The application: the emulated API, and the emulator's own beside it."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from emulator.clock import Clock, ClockSettings
from emulator.contract.document import load_document
from emulator.control import handlers as control
from emulator.control.access import ControlAccess
from emulator.control.coverage import coverage_of
from emulator.errors import NotFound, StartError
from emulator.resources import CONTRACT_FILE, CONTROL_CONTRACT_FILE, SCENARIO_DIRECTORY
from emulator.scenario.unread import UnreadLibrary, unread
from emulator.server.access import Access
from emulator.server.contract_app import ContractApp
from emulator.server.handlers import HANDLERS
from emulator.server.service import Service
from emulator.server.settings import Settings
from emulator.tenants.cloud import Cloud

CONTROL_PREFIX = "/_emulator"
DEFAULT_SCENARIO = "completed"


def create_service(
    settings: Settings | None = None,
    *,
    scenario_directories: Sequence[Path] = (),
    default_scenario: str = DEFAULT_SCENARIO,
    seed: int = 0,
    clock: ClockSettings | None = None,
) -> Service:
    """The state of a new emulator, with the scenarios of `scenario_directories` before the built-in ones.

    Raises StartError for an unreadable directory or an unknown default, ScenarioError for invalid files.
    """
    library: Library | UnreadLibrary = unread(SCENARIO_DIRECTORY)
    if scenario_directories:
        from emulator.scenario.library import Library  # late: brings the whole grammar of scenario files

        library = Library.load(scenario_directories, built_in=SCENARIO_DIRECTORY)
    try:
        cloud = Cloud(library, default_scenario=default_scenario, seed=seed, clock=Clock(clock))
    except NotFound as unknown:
        raise StartError(f"the default scenario does not exist: {unknown}") from None
    return Service(cloud, settings or Settings())


def create_app(service: Service) -> ASGIApp:
    """The ASGI application around `service`. Raises ContractError if a contract and its handlers disagree."""
    coverage_of(service)  # from the first request on
    access = Access(service)
    emulated = ContractApp(load_document(CONTRACT_FILE), HANDLERS, access, service, journaled=True)
    own_document = load_document(CONTROL_CONTRACT_FILE)
    own_access = ControlAccess(service, access)
    own = ContractApp(own_document, control.HANDLERS, own_access, service, journaled=False)
    # Browsers may use the emulated API from any page, and not the control API.
    for_browsers = CORSMiddleware(
        emulated,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["WWW-Authenticate", "Retry-After"],
    )
    return Doors(emulated, for_browsers, own)


class Doors:
    """Both APIs at one address, told apart by the path.

    In place of Starlette's router and middleware stack, which cost more than some of the answers: an operation is
    found by the contract anyhow, whoever sends no `Origin` needs nothing of CORS, and whoever came by no proxy nothing
    of its headers.
    """

    def __init__(self, emulated: ASGIApp, emulated_for_browsers: ASGIApp, control: ASGIApp) -> None:
        self._emulated = emulated
        self._for_browsers = emulated_for_browsers
        self._control = control
        self._others = Router()  # answers for the lifespan, and turns websockets away
        trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")  # uvicorn's own rule
        self._proxied = ProxyHeadersMiddleware(self._behind, trusted)  # type: ignore[arg-type]  # its own types of ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        names = dict(scope["headers"])
        if b"x-forwarded-for" in names or b"x-forwarded-proto" in names:
            await self._proxied(scope, receive, send)  # type: ignore[arg-type]  # see above
        else:
            await self._door(scope, names)(scope, receive, send)

    async def _behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(scope, dict(scope["headers"]))(scope, receive, send)

    def _door(self, scope: Scope, names: Container[bytes]) -> ASGIApp:
        if scope["path"].startswith(CONTROL_PREFIX):
            return self._control
        return self._for_browsers if b"origin" in names else self._emulated
