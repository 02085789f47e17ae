"""The application: the emulated API, and the emulator's own beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from emulator.clock import Clock, ClockSettings
from emulator.contract.document import load_document
from emulator.control import handlers as control
from emulator.control.access import ControlAccess
from emulator.errors import NotFound, StartError
from emulator.resources import CONTRACT_FILE, SCENARIO_DIRECTORY
from emulator.scenario.library import Library
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
    library = Library.load(scenario_directories, built_in=SCENARIO_DIRECTORY)
    try:
        cloud = Cloud(library, default_scenario=default_scenario, seed=seed, clock=Clock(clock))
    except NotFound as unknown:
        raise StartError(f"the default scenario does not exist: {unknown}") from None
    return Service(cloud, settings or Settings())


def create_app(service: Service) -> Starlette:
    """The ASGI application around `service`. Raises ContractError if a contract and its handlers disagree."""
    access = Access(service)
    emulated = ContractApp(load_document(CONTRACT_FILE), HANDLERS, access, service)
    own = ContractApp(load_document(control.CONTRACT_FILE), control.HANDLERS, ControlAccess(service, access), service)
    # Browsers may use the emulated API from any page, and not the control API.
    for_browsers = CORSMiddleware(
        emulated,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["WWW-Authenticate", "Retry-After"],
    )
    app = Starlette(routes=[Mount(CONTROL_PREFIX, app=own)], exception_handlers={Exception: _internal_error})
    app.router.redirect_slashes = False
    app.router.default = for_browsers  # whatever its path: the contract decides which ones there are
    return app


def _internal_error(_request: Request, _error: Exception) -> Response:
    """The answer to a mistake of ours, which is logged with its traceback."""
    return json_response({"detail": "Internal Server Error"}, 500)
