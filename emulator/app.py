"""The application: the emulated API, and the emulator's own beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

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
from emulator.server.responses import json_response
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
    emulated = _guarded(ContractApp(load_document(CONTRACT_FILE), HANDLERS, access, service, journaled=True))
    own_document = load_document(CONTROL_CONTRACT_FILE)
    own_access = ControlAccess(service, access)
    own = _guarded(ContractApp(own_document, control.HANDLERS, own_access, service, journaled=False))
    # Browsers may use the emulated API from any page, and not the control API.
    for_browsers = CORSMiddleware(
        emulated,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["WWW-Authenticate", "Retry-After"],
    )
    return Doors(emulated, for_browsers, own)


def _guarded(app: ASGIApp) -> ASGIApp:
    """`app`, which answers 500 where a mistake of ours stops it; the traceback is logged."""
    return ServerErrorMiddleware(app, handler=_internal_error)


def _internal_error(_request: Request, _error: Exception) -> Response:
    return json_response({"detail": "Internal Server Error"}, 500)


class Doors:
    """Both APIs at one address, told apart by the path.

    In place of Starlette's router and middleware stack, which cost more than some of the answers: an operation is
    found by the contract anyhow, and whoever sends no `Origin` needs nothing of CORS.
    """

    def __init__(self, emulated: ASGIApp, emulated_for_browsers: ASGIApp, control: ASGIApp) -> None:
        self._emulated = emulated
        self._for_browsers = emulated_for_browsers
        self._control = control
        self._others = Router()  # answers for the lifespan, and turns websockets away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            door: ASGIApp = self._others
        elif scope["path"].startswith(f"{CONTROL_PREFIX}/"):
            door = self._control
        elif any(name == b"origin" for name, _ in scope["headers"]):
            door = self._for_browsers
        else:
            door = self._emulated
        await door(scope, receive, send)
